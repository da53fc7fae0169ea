package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lockDir locks the directory until the file is closed. The kernel drops the lock
// with the process, however it ends. The file names its owner, for the message that
// a second process prints.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make journal directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock journal directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		owner := lockOwner(f)
		err = errors.Join(err, f.Close())
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("journal directory %s is in use by %s: stop it, or choose another data directory", dir, owner)
		}
		return nil, fmt.Errorf("lock journal directory: %w", err)
	}
	if err := writeOwner(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock journal directory: %w", err), f.Close())
	}
	return f, nil
}

// checkDir reports why the directory cannot be written any more, or nil. It takes
// about 3 µs, once for each stored message, which takes about a millisecond. On a
// cluster the directories are the servers'.
func (j *Journal) checkDir() error {
	if j.lock == nil {
		return nil
	}
	if err := unix.Access(j.server.dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("journal directory %s cannot be written: %w: check its permissions and its disk", j.server.dir, err)
	}
	held, err := j.lock.Stat()
	if err != nil {
		return fmt.Errorf("journal directory: %w", err)
	}
	found, err := os.Stat(j.lock.Name())
	if err != nil {
		return fmt.Errorf("journal directory is gone: %w: put it back, or stop the process and check its disk", err)
	}
	if !os.SameFile(held, found) {
		return fmt.Errorf("journal directory %s was replaced: put the former one back, or restart the process", j.dir)
	}
	return nil
}

func writeOwner(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(f, "process %d (%s)\n", os.Getpid(), filepath.Base(os.Args[0]))
	return err
}

func lockOwner(f *os.File) string {
	buf := make([]byte, 200)
	n, _ := f.ReadAt(buf, 0) // an empty name is better than another error
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	if line == "" {
		return "another process"
	}
	return line
}

// freeSpace is what is left for us on the disk of dir.
func freeSpace(dir string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("look for free space: %w", err)
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil // the types differ by platform
}
