package dedup_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	closeBound = 30 * time.Second
	lineBound  = 100
)

// disk fails each write while it has an error, and hangs while it has a gate.
type disk struct {
	err  atomic.Pointer[error]
	gate atomic.Pointer[chan struct{}]
}

func (d *disk) fail(err error) { d.err.Store(&err) }
func (d *disk) heal()          { d.err.Store(nil) }

func (d *disk) fs() vfs.FS {
	return errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		if gate := d.gate.Load(); gate != nil {
			<-*gate
		}
		if err := d.err.Load(); err != nil {
			return &os.PathError{Op: "write", Path: op.Path, Err: *err}
		}
		return nil
	}))
}

// lines counts the lines that are logged.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := bytes.Count(l.buf.Bytes(), []byte("\n")); n > lineBound {
		first, _ := io.ReadAll(io.LimitReader(&l.buf, 2000))
		t.Errorf("%d lines are logged, want at most %d; the first:\n%s", n, lineBound, first)
	}
}

// follow opens an index and runs it. The index and what Run returns are given back.
func follow(t *testing.T, fs vfs.FS, dir string, j *journal, log *lines, seen *incidents) (*dedup.Index, context.CancelFunc, <-chan error) {
	t.Helper()
	index, err := dedup.OpenOn(fs, dir, dedup.DefaultConfig(), dedup.Options{Logger: slog.New(slog.NewTextHandler(log, nil)), Reporter: seen})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done := make(chan error, 1)
	go func() { done <- index.Run(ctx, j) }()
	return index, cancel, done
}

// mustEnd wants f to return within the bound, and returns its error.
func mustEnd(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(closeBound):
		t.Fatalf("%s does not return", what)
		return nil
	}
}

// A disk that fails while the index works: the index tells once, tries again, and is
// right when the disk works again.
func TestDiskFails(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		class string
	}{
		"input/output error": {syscall.EIO, "index not writable"},
		"read-only":          {syscall.EROFS, "index not writable"},
		"no space":           {syscall.ENOSPC, "index not writable"},
		"permission removed": {syscall.EACCES, "index not writable"},
		"no such file":       {syscall.ENOENT, "index damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, d, log, seen := newJournal("e1"), &disk{}, &lines{}, &incidents{}
			first := j.add(record("shop", "a", 0), record("shop", "b", 0))
			index, cancel, done := follow(t, d.fs(), filepath.Join(t.TempDir(), "dedup"), j, log, seen)
			check(t, index, []event.Batch{first}, [][]bool{{false, false}})
			d.fail(c.err)
			second := j.add(record("shop", "a", 0), record("shop", "c", 0))
			eventually(t, c.class, func() bool { return seen.classes()[c.class] > 0 })
			d.heal()
			check(t, index, []event.Batch{first, second}, [][]bool{{false, false}, {true, false}})
			cancel()
			if err := mustEnd(t, "Run", func() error { return <-done }); err != nil {
				t.Errorf("Run: %v", err)
			}
			if err := mustEnd(t, "Close", index.Close); err != nil {
				t.Errorf("Close: %v", err)
			}
			if n := seen.classes()["index not writable"]; n > 1 {
				t.Errorf("%d incidents of one failure", n)
			}
			log.check(t)
		})
	}
}

// A disk that fails at the stop: Run says so soon, and has closed the store.
func TestDiskFailsAtTheStop(t *testing.T) {
	for name, err := range map[string]error{"input/output error": syscall.EIO, "no such file": syscall.ENOENT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, d, log := newJournal("e1"), &disk{}, &lines{}
			index, cancel, done := follow(t, d.fs(), filepath.Join(t.TempDir(), "dedup"), j, log, &incidents{})
			marks(t, index, j.add(record("shop", "a", 0)))
			d.fail(err)
			cancel()
			if err := mustEnd(t, "Run", func() error { return <-done }); err == nil {
				t.Error("Run says nothing of a flush that failed")
			}
			if err := mustEnd(t, "Close", index.Close); err != nil {
				t.Errorf("Close: %v, though Run has closed the store", err)
			}
			log.check(t)
		})
	}
}

// A disk that never answers at the stop: Run and Close give up.
func TestDiskHangs(t *testing.T) {
	j, d, log, dir := newJournal("e1"), &disk{}, &lines{}, filepath.Join(t.TempDir(), "dedup")
	index, cancel, done := follow(t, d.fs(), dir, j, log, &incidents{})
	marks(t, index, j.add(record("shop", "a", 0)))
	gate := make(chan struct{})
	d.gate.Store(&gate)
	cancel()
	if err := mustEnd(t, "Run", func() error { return <-done }); err == nil {
		t.Error("Run says nothing of a disk that hangs")
	}
	if err := mustEnd(t, "Close", index.Close); err == nil {
		t.Error("Close says nothing of a disk that hangs")
	}
	log.check(t)
	d.gate.Store(nil)
	close(gate) // what was left ends now
	eventually(t, "the store is free again", func() bool {
		again, err := dedup.OpenOn(vfs.Default, dir, dedup.DefaultConfig(), dedup.Options{})
		return err == nil && again.Close() == nil
	})
}

// The directory of a real index is removed, alone or with its parent.
func TestDirectoryRemoved(t *testing.T) {
	for name, up := range map[string]string{"itself": ".", "with its parent": ".."} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, log, seen := newJournal("e1"), &lines{}, &incidents{}
			dir := filepath.Join(t.TempDir(), "data", "dedup")
			index, cancel, done := follow(t, vfs.Default, dir, j, log, seen)
			for n := range 20 {
				marks(t, index, j.add(record("shop", fmt.Sprint(n), 0)))
			}
			if err := os.RemoveAll(filepath.Join(dir, up)); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := mustEnd(t, "Run", func() error { return <-done }); err == nil {
				t.Error("Run says nothing of a directory that is gone")
			}
			if err := mustEnd(t, "Close", index.Close); err != nil {
				t.Errorf("Close: %v, though Run has closed the store", err)
			}
			log.check(t)
		})
	}
}

// The directory of a running index is removed with its parent, and comes back.
func TestDirectoryComesBack(t *testing.T) {
	j, log, seen := newJournal("e1"), &lines{}, &incidents{}
	dir := filepath.Join(t.TempDir(), "data", "dedup")
	first := j.add(record("shop", "a", 0))
	index, cancel, done := follow(t, vfs.Default, dir, j, log, seen)
	check(t, index, []event.Batch{first}, [][]bool{{false}})
	if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
		t.Fatal(err)
	}
	j.add(record("shop", "b", 0))
	eventually(t, "an incident", func() bool { return seen.classes()["index not writable"] == 1 })
	if _, err := os.Stat(filepath.Dir(dir)); err == nil {
		t.Error("the index makes the data directory anew")
	}
	if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	check(t, index, []event.Batch{first, j.add(record("shop", "a", 0))}, [][]bool{{false}, {true}})
	cancel()
	if err := mustEnd(t, "Run", func() error { return <-done }); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := mustEnd(t, "Close", index.Close); err != nil {
		t.Errorf("Close: %v", err)
	}
	log.check(t)
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(closeBound)
	for !check() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never came: %s", what)
		}
	}
}
