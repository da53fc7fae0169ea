package fault

import (
	"strings"
	"syscall"
)

// storageAdvice says what to do about each error of a disk.
var storageAdvice = map[syscall.Errno]string{
	syscall.EIO:    "the disk does not work: see the kernel's log (dmesg), mend or replace it, and start Sparrow again",
	syscall.EROFS:  "the file system is read-only, as the kernel makes it after an error: see its log (dmesg), check the file system, mount it again, and start Sparrow again",
	syscall.EACCES: "the data directory and all it holds must belong to the user that Sparrow runs as; commands run as the same user",
	syscall.EPERM:  "the data directory and all it holds must belong to the user that Sparrow runs as; commands run as the same user",
	syscall.ENOSPC: "the disk is full: free some space; nothing needs to be started again",
}

// StorageAdvice says what to do about an error of the disk, or "" if err is none. It
// goes by the text, because DuckDB and the embedded server keep nothing else of it.
func StorageAdvice(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ToLower(err.Error())
	for code, advice := range storageAdvice {
		if strings.Contains(text, code.Error()) {
			return advice
		}
	}
	return ""
}
