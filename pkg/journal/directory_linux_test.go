package journal_test

import (
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// The mount below the journal becomes read-only, as after an error of the disk.
func TestDirectoryBecomesReadOnly(t *testing.T) {
	harmed(t, "cannot be written", func(t *testing.T, dir string) {
		if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
			t.Skipf("cannot mount: %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		if err := unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Skipf("cannot mount: %v", err)
		}
	})
}

// Writes to the block end in an input/output error: its descriptor now leads to
// memory that nobody may write. The append fails, and the server is restarted.
func TestInputOutputError(t *testing.T) {
	var log lines
	var seen observer
	dir := t.TempDir()
	j := mustOpen(t, testConfig(), journal.Options{Dir: dir, Reporter: &seen, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	j.Hurry(300*time.Millisecond, 500*time.Millisecond)
	run(t, j)
	mustAppend(t, j, "a")
	breakWrites(t, dir)
	if _, err := j.Append(t.Context(), asBytes([]string{"b"})); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("want ErrUnavailable, got %v", err)
	}
	eventually(t, "another server", func() bool {
		_, err := j.Append(t.Context(), asBytes([]string{"c"}))
		return err == nil
	})
	if n := len(seen.of("stuck")); n != 1 {
		t.Errorf("%d incidents %q, want one", n, seen.of("stuck"))
	}
	mustEnd(t, "Close", j.Close)
	log.check(t)
}

func breakWrites(t *testing.T, dir string) {
	t.Helper()
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("cannot inject an error: %v", err)
	}
	defer memory.Close()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, d := range descriptors {
		file, err := os.Readlink("/proc/self/fd/" + d.Name())
		if err != nil || !strings.HasPrefix(file, dir) || !strings.HasSuffix(file, ".blk") || !strings.Contains(file, "SPARROW_EVENTS") {
			continue
		}
		fd, err := strconv.Atoi(d.Name())
		if err == nil {
			err = unix.Dup3(int(memory.Fd()), fd, unix.O_CLOEXEC)
		}
		if err != nil {
			t.Fatal(err)
		}
		found = true
	}
	if !found {
		t.Fatal("no block is open")
	}
}
