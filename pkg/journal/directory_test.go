package journal_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/journal"
)

const (
	closeBound = 30 * time.Second
	lineBound  = 100
)

// lines keeps what is logged.
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
		t.Errorf("%d lines are logged, want at most %d; the first:\n%.2000s", n, lineBound, l.buf.Bytes())
	}
}

// mustEnd wants f to return within the bound.
func mustEnd(t *testing.T, what string, f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		t.Logf("%s: %v", what, err)
	case <-time.After(closeBound):
		t.Fatalf("%s does not return", what)
	}
}

// harmed runs a journal in a directory, harms that, and wants appends to fail with
// an error that says why, Ready too, one incident, and a stop that ends.
func harmed(t *testing.T, why string, harm func(t *testing.T, dir string)) {
	t.Helper()
	var log lines
	var seen observer
	dir := filepath.Join(t.TempDir(), "data", "journal")
	j, err := journal.Open(t.Context(), testConfig(), journal.Options{Dir: dir, Reporter: &seen, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	j.Hurry(300*time.Millisecond, 2*time.Second)
	stop := run(t, j)
	mustAppend(t, j, "a")
	harm(t, dir)
	for name, store := range map[string]func() error{
		"append":  func() error { _, err := j.Append(t.Context(), asBytes([]string{"b"})); return err },
		"publish": func() error { _, err := j.Publish(t.Context(), "lane", nil, 0); return err },
	} {
		err := store()
		if !errors.Is(err, journal.ErrUnavailable) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: want ErrUnavailable and %q, got %v", name, why, err)
		}
		if after, ok := fault.RetryAfter(err); !ok || after <= 0 {
			t.Errorf("%s: no time to wait in %v", name, err)
		}
	}
	eventually(t, "an error of Ready", func() bool {
		err := j.Ready(t.Context())
		return errors.Is(err, journal.ErrUnavailable) && strings.Contains(err.Error(), why)
	})
	mustEnd(t, "Run", stop)
	mustEnd(t, "Close", j.Close)
	if n := len(seen.of("directory")); n != 1 {
		t.Errorf("%d incidents %q, want one", n, seen.of("directory"))
	}
	log.check(t)
}

func TestDirectoryIsGone(t *testing.T) {
	for name, up := range map[string]string{"itself": ".", "with its parent": ".."} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			harmed(t, "is gone", func(t *testing.T, dir string) {
				if err := os.RemoveAll(filepath.Join(dir, up)); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestDirectoryIsReplaced(t *testing.T) {
	t.Parallel()
	harmed(t, "was replaced", func(t *testing.T, dir string) {
		if err := errors.Join(os.Rename(dir, dir+".former"), os.CopyFS(dir, os.DirFS(dir+".former"))); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDirectoryLosesItsPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root needs no permission")
	}
	t.Parallel()
	harmed(t, "cannot be written", func(t *testing.T, dir string) {
		nats := filepath.Join(dir, "nats")
		if err := os.Chmod(nats, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(nats, 0o700) })
	})
}

// A directory that comes back as it was is used again.
func TestDirectoryComesBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journal")
	j, _ := mustStart(t, dir)
	mustAppend(t, j, "a")
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an error of Ready", func() bool { return j.Ready(t.Context()) != nil })
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readiness", func() bool { return j.Ready(t.Context()) == nil })
	mustAppend(t, j, "b")
}
