package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

func TestStorageAdvice(t *testing.T) {
	for _, c := range []struct {
		err  error
		says string
	}{
		{nil, ""},
		{errors.New("IO Error: something else"), ""},
		{fmt.Errorf("open journal: %w", &fs.PathError{Op: "open", Path: "x", Err: syscall.EIO}), "disk does not work"},
		{errors.New(`Could not write file "w.wal": Read-only file system`), "read-only"},
		{errors.New(`Cannot open file "w.duckdb": Permission denied`), "belong to the user"},
		{errors.New("no space left on device"), "free some space"},
	} {
		if advice := fault.StorageAdvice(c.err); (advice == "") != (c.says == "") || !strings.Contains(advice, c.says) {
			t.Errorf("%v: %q, want %q in it", c.err, advice, c.says)
		}
	}
}
