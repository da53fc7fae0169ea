package dedup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	cacheBytes    = 16 << 20
	memtableBytes = 8 << 20
)

// openStore opens the Pebble store in dir, and reads the follower's state and
// how far flags are trimmed. fatal is called when Pebble gives up.
func openStore(dir string, logger *slog.Logger, fatal func(error)) (db *pebble.DB, s state, trimmed event.Position, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, s, trimmed, err
	}
	if db, err = pebble.Open(dir, storeOptions(logger, fatal)); err != nil {
		return nil, s, trimmed, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
			db = nil
		}
	}()
	value, err := get(db, []byte{stateKey})
	if err == nil && value != nil {
		s, err = parseState(value)
	}
	if err != nil {
		return db, s, trimmed, err
	}
	if value, err = get(db, []byte{trimKey}); err == nil && value != nil {
		trimmed, err = parsePosition(value)
	}
	return db, s, trimmed, err
}

// storeOptions use little memory, so that the index does not compete with the
// journal.
func storeOptions(logger *slog.Logger, fatal func(error)) *pebble.Options {
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
		FS:     vfs.Default,
		Logger: storeLogger{logger, fatal},
	}
	// The default calls Fatalf. We only log: the next reader finds the damage again
	// and handles it.
	o.EventListener = &pebble.EventListener{DataCorruption: func(info pebble.DataCorruptionInfo) {
		logger.Error("duplicate index damaged", slog.String("err", info.Details.Error()))
	}}
	return o
}

// get returns a copy of a key's value, nil if there is none.
func get(db *pebble.DB, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	copied := append([]byte{}, value...)
	return copied, closer.Close()
}

// sourceError is an error of the journal. It does not mean that the index is damaged.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// damaged reports whether an error means that the index's files are damaged.
func damaged(err error) bool {
	if _, ok := errors.AsType[sourceError](err); ok {
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
	if err := os.Rename(dir, aside); err != nil {
		return fmt.Errorf("move damaged index aside: %w", err)
	}
	return nil
}

// storeLogger writes Pebble's messages to our log. Pebble's own logger ends the
// process when Pebble cannot go on; this one makes the index end its Run.
type storeLogger struct {
	logger *slog.Logger
	fatal  func(error)
}

func (l storeLogger) Infof(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("duplicate index store", slog.String("detail", fmt.Sprintf(format, args...)))
	}
}

func (l storeLogger) Errorf(format string, args ...any) {
	l.logger.Warn("duplicate index store", slog.String("err", fmt.Sprintf(format, args...)))
}

func (l storeLogger) Fatalf(format string, args ...any) { l.fatal(fmt.Errorf(format, args...)) }
