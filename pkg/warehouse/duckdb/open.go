//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/retry"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Available says whether this build has DuckDB.
const Available = true

// maxQueries is how many queries run at once; others wait. Each needs a
// connection for itself and one to watch its memory; the rest write and read
// for the loader.
const (
	maxQueries     = 4
	maxConnections = 2*maxQueries + 4
)

// file is an open DuckDB file.
type file struct {
	path   string
	config Config
	settle int64 // seconds
	// fillRows is about how many rows of raw one piece of Backfill reads.
	fillRows int64
	// typedSelect is warehouse.TypedSelect, but in tests that make it fail.
	typedSelect func(d warehouse.Dialect, columns []warehouse.Column, typing warehouse.Typing, rows string) string

	// mu is held for reading by everything that uses db, and for writing to
	// open it anew after DuckDB gave it up, and to close it.
	mu     sync.RWMutex
	db     *sql.DB
	closed bool

	open      context.Context // ends when Close begins
	interrupt context.CancelFunc

	queries chan struct{} // a slot for each query that runs
	writing chan struct{} // holds a token while nobody writes
	// What follows is guarded by writing.
	suspect bool               // the disk failed a write: look before the next one
	writer  *sql.Conn          // nil until it is needed
	columns []warehouse.Column // of the plan, as the views have them
}

// Open opens or makes the file at path, whose directory must exist. It returns
// ErrLocked when another process holds the file. The warehouse is to be closed.
func Open(ctx context.Context, path string, config Config, options Options) (warehouse.Warehouse, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	if strings.ContainsAny(full, "?%#") {
		return nil, fault.Permanent(fmt.Errorf("open warehouse: %s: DuckDB takes no path with ?, %% or #: choose another directory for data", full))
	}
	if config.ReadOnly {
		if _, err := os.Stat(full); err != nil {
			return nil, fault.Permanent(fmt.Errorf("open warehouse: %w (has the gateway run here?)", err))
		}
	}
	f := &file{path: full, config: config, settle: int64(options.Settle.Seconds()), fillRows: fillRows, typedSelect: warehouse.TypedSelect, queries: make(chan struct{}, maxQueries), writing: make(chan struct{}, 1)}
	f.writing <- struct{}{}
	f.open, f.interrupt = context.WithCancel(context.Background())
	if f.db, err = f.openInstance(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// openInstance opens the file and locks the instance's configuration.
func (f *file) openInstance(ctx context.Context) (*sql.DB, error) {
	connector, err := f.connect(ctx)
	if err != nil {
		return nil, openError(f.path, err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConnections)
	for _, statement := range [...]string{
		"set global TimeZone = 'UTC'",
		"set global enable_external_access = false",
		"set global lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(openError(f.path, err), db.Close())
		}
	}
	return db, nil
}

// connect opens the instance. A lock may outlive its holder by a moment, when a
// process was killed or a query interrupted; so a locked file is tried for a while.
func (f *file) connect(ctx context.Context) (*duck.Connector, error) {
	for tries := 1; ; tries++ {
		connector, err := duck.NewConnector(f.path+"?"+f.settings().Encode(), nil)
		if err == nil || !locked(err) || tries == lockTries {
			return connector, err
		}
		if err := retry.Sleep(ctx, lockPause); err != nil {
			return nil, err
		}
	}
}

const (
	lockTries = 20
	lockPause = 50 * time.Millisecond
)

func locked(err error) bool { return strings.Contains(err.Error(), "Could not set lock") }

// settings are given with the path, so that they hold before the file is read.
func (f *file) settings() url.Values {
	v := url.Values{}
	v.Set("memory_limit", bytes(f.config.Memory))
	v.Set("threads", strconv.Itoa(f.config.Threads))
	v.Set("max_temp_directory_size", bytes(f.config.Spill))
	v.Set("checkpoint_threshold", bytes(checkpointAt))
	v.Set("autoinstall_known_extensions", "false")
	v.Set("autoload_known_extensions", "false")
	v.Set("allow_community_extensions", "false")
	if f.config.ReadOnly {
		v.Set("access_mode", "READ_ONLY")
	}
	return v
}

// checkpointAt is how long the write-ahead log grows: long enough that loading
// is not forever checkpointing, short enough to be read back in seconds.
const checkpointAt = 128 * quantity.MiB

func bytes(s quantity.Size) string { return strconv.FormatInt(int64(s), 10) + "B" }

func openError(path string, err error) error {
	if locked(err) {
		_, holder, _ := strings.Cut(err.Error(), "held in ")
		holder, _, _ = strings.Cut(holder, ". ")
		return fault.Permanent(fmt.Errorf("open warehouse: %s: %w (held by %s)", path, ErrLocked, holder))
	}
	return fmt.Errorf("open warehouse: %s: %w", path, err)
}

// closeLimit bounds Close: a query that DuckDB cannot interrupt, or a disk that
// does not answer, must not keep the process.
const closeLimit = 10 * time.Second

// Close interrupts the calls under way and closes the file. If they do not end
// within ten seconds it returns an error and leaves the file as it is: what was
// committed is in the file or in its write-ahead log, which the next Open reads.
func (f *file) Close() error {
	f.interrupt()
	closed := make(chan error, 1)
	go func() { closed <- f.closeIdle() }()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case err := <-closed:
		return err
	case <-limit.C:
		return fmt.Errorf("close warehouse: a query or the disk did not answer within %s; no row is lost, the next start reads the write-ahead log", closeLimit)
	}
}

// closeIdle closes the file once no call is under way.
func (f *file) closeIdle() error {
	<-f.writing
	defer func() { f.writing <- struct{}{} }()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	if err := f.checkDisk(); err != nil {
		return fmt.Errorf("close warehouse: %w; no row is lost, the next start reads the write-ahead log", err)
	}
	return f.shut()
}

// untilClosed is ctx that also ends when the file is being closed.
func (f *file) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(f.open, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// shut closes the connections and the instance. The caller holds both locks.
func (f *file) shut() error {
	var err error
	if f.writer != nil {
		err = f.writer.Close()
		f.writer = nil
	}
	if err = errors.Join(err, f.db.Close()); err != nil {
		return fmt.Errorf("close warehouse: %w", err)
	}
	return nil
}

var errClosed = fault.Permanent(errors.New("the warehouse is closed"))

// use runs do with the open instance.
func (f *file) use(do func(db *sql.DB) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return errClosed
	}
	return do(f.db)
}
