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
)

const (
	cacheBytes    = 16 << 20
	memtableBytes = 8 << 20
)

// openStore opens the Pebble store in dir, and reads the follower's state and
// how far flags are trimmed. fatal is called when Pebble gives up.
func openStore(dir string, logger *slog.Logger, fatal func(string)) (db *pebble.DB, s state, trimmed []byte, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, state{}, nil, err
	}
	if db, err = pebble.Open(dir, storeOptions(logger, fatal)); err != nil {
		return nil, state{}, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
			db = nil
		}
	}()
	value, err := get(db, []byte{stateKey})
	if err != nil {
		return db, state{}, nil, err
	}
	if value != nil {
		if s, err = parseState(value); err != nil {
			return db, state{}, nil, err
		}
	}
	trimmed, err = get(db, []byte{trimKey})
	return db, s, trimmed, err
}

// storeOptions are small: the index must not compete with the journal for memory.
func storeOptions(logger *slog.Logger, fatal func(string)) *pebble.Options {
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
	// The default calls Fatalf: damage is found again, and dealt with, by whoever reads it.
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

// sourceError is an error of the journal, which says nothing about the index.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// damaged reports whether an error says that the index's files are not what they were.
func damaged(err error) bool {
	if _, ok := errors.AsType[sourceError](err); ok {
		return false
	}
	return pebble.IsCorruptionError(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errState) || errors.Is(err, errKey)
}

// moveAside keeps a damaged directory for whoever wants to look, the latest only.
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

// storeLogger passes Pebble's messages on. Pebble's own ends the process when it
// cannot go on; this one tells the index, which then ends its Run.
type storeLogger struct {
	logger *slog.Logger
	fatal  func(string)
}

func (l storeLogger) Infof(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("duplicate index store", slog.String("detail", fmt.Sprintf(format, args...)))
	}
}

func (l storeLogger) Errorf(format string, args ...any) {
	l.logger.Warn("duplicate index store", slog.String("err", fmt.Sprintf(format, args...)))
}

func (l storeLogger) Fatalf(format string, args ...any) { l.fatal(fmt.Sprintf(format, args...)) }
