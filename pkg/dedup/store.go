package dedup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	cacheBytes    = 16 << 20
	memtableBytes = 8 << 20
	failedPause   = 20 * time.Millisecond
)

// store is a Pebble store until its first failure. Pebble itself tries a failed
// flush again at once and for ever, and all who wait for the flush wait with it.
type store struct {
	db    *pebble.DB
	alive context.Context // ends with the failure as its cause
	fail  context.CancelCauseFunc
}

// openStore opens the store in dir, whose parent must exist.
func openStore(fs vfs.FS, dir string, logger *slog.Logger) (*store, error) {
	// Pebble would make the parent too, where a volume was detached.
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("make its directory: %w", outsideError{err})
	}
	st := &store{}
	st.alive, st.fail = context.WithCancelCause(context.Background())
	var err error
	st.db, err = pebble.Open(dir, st.options(fs, logger))
	return st, err
}

// failure is why the store cannot go on, or nil.
func (st *store) failure() error { return context.Cause(st.alive) }

// flush makes what was written survive a crash. It ends early when the store fails.
func (st *store) flush() error {
	if err := st.failure(); err != nil {
		return err
	}
	flushed, err := st.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-flushed:
	case <-st.alive.Done():
	}
	return st.failure()
}

// options use little memory, so that the index does not compete with the journal.
func (st *store) options(fs vfs.FS, logger *slog.Logger) *pebble.Options {
	lines := &storeLogger{logger: logger, fatal: st.fail}
	o := &pebble.Options{
		CacheSize:                   cacheBytes,
		MemTableSize:                memtableBytes,
		MemTableStopWritesThreshold: 3,
		MaxOpenFiles:                256,
		FormatMajorVersion:          pebble.FormatNewest,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		// The journal is the log.
		DisableWAL: true,
		// Without the disk health checks, whose goroutine outlives a failed Open.
		FS:     fs,
		Logger: lines,
	}
	o.EventListener = &pebble.EventListener{
		// The default calls Fatalf. We only log: the next reader finds the damage
		// again and handles it.
		DataCorruption: func(info pebble.DataCorruptionInfo) { lines.Errorf("damage: %s", info.Details) },
		// Pebble is going to try again at once. The pause keeps it from using a whole
		// core until the store is closed.
		BackgroundError: func(err error) {
			st.fail(err)
			_ = retry.Sleep(context.Background(), failedPause)
		},
	}
	return o
}

// load parses a key's value, if there is one.
func (st *store) load(key byte, parse func([]byte) error) error {
	value, closer, err := st.db.Get([]byte{key})
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(parse(value), closer.Close())
}

// outsideError is an error of the journal, or of the directory that holds the index.
// It does not mean that the index is damaged.
type outsideError struct{ error }

func (e outsideError) Unwrap() error { return e.error }

// damaged reports whether an error means that the index's files are damaged.
func damaged(err error) bool {
	if _, ok := errors.AsType[outsideError](err); ok {
		return false
	}
	return pebble.IsCorruptionError(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, event.ErrCorrupt)
}

// moveAside keeps a damaged directory for inspection, the latest only.
func moveAside(dir string) error {
	aside := strings.TrimRight(dir, string(os.PathSeparator)) + ".damaged"
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("remove former damaged index: %w", err)
	}
	if err := os.Rename(dir, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("move damaged index aside: %w", err)
	}
	return nil
}

// storeLogger writes Pebble's messages to our log. Pebble's own logger ends the
// process when Pebble cannot go on; this one makes the index end its Run.
type storeLogger struct {
	logger  *slog.Logger
	fatal   func(error)
	repeats retry.Repeats
}

func (l *storeLogger) Infof(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("duplicate index store", slog.String("detail", fmt.Sprintf(format, args...)))
	}
}

func (l *storeLogger) Errorf(format string, args ...any) {
	if before, due := l.repeats.Due(format); due {
		l.logger.Warn("duplicate index store", slog.String("err", fmt.Sprintf(format, args...)), slog.Int("repeated", before))
	}
}

func (l *storeLogger) Fatalf(format string, args ...any) { l.fatal(fmt.Errorf(format, args...)) }
