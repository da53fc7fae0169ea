package dedup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Errors of an Index. FlagDuplicates and Trim return ErrClosed after Close.
// FlagDuplicates wraps ErrTrimmed when Trim has dropped the flags it is asked for.
var (
	ErrClosed  = errors.New("duplicate index is closed")
	ErrTrimmed = errors.New("duplicate flags are trimmed")
)

// Options are what an Index is given besides its configuration. The zero
// Options work.
type Options struct {
	Logger     *slog.Logger          // nil discards
	Registerer prometheus.Registerer // of the metrics; nil leaves them unregistered
	Reporter   fault.Reporter        // gets rebuilds, damage and a shortened window; may be nil
}

// Index is the duplicate index of one journal. Its methods are safe for
// concurrent use. Make one with Open, Run its follower, Close it.
type Index struct {
	dir      string
	config   Config
	logger   *slog.Logger
	reporter fault.Reporter
	metrics  *metrics

	running sync.Mutex // locked by Run: one follower at a time

	life sync.RWMutex // read-locked while db is used, locked while it is replaced or closed
	db   *pebble.DB

	mu          sync.Mutex
	state       state          // as last committed
	trimmed     event.Position // flags before it are dropped
	durable     event.Position // what of state.applied is flushed
	ready       bool           // state was compared with the journal and belongs to it
	incarnation int            // grows when flags that were there are gone
	closed      bool
	failure     error              // why the store cannot go on
	interrupt   context.CancelFunc // ends followOnce
	changed     chan struct{}      // closed when any of the above changes; nil while nobody waits
}

// Open opens the index in dir. It makes dir if it is missing; no other process may
// have it open. A damaged directory is moved aside, and an empty index opened in its
// place, which Run will fill. The error is about the configuration, the metrics or
// the file system.
func Open(dir string, config Config, options Options) (*Index, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	m, err := newMetrics(options.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register duplicate index metrics: %w", err)
	}
	logger := cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	i := &Index{dir: dir, config: config, logger: logger, reporter: options.Reporter, metrics: m}
	err = i.open()
	if err != nil && damaged(err) {
		i.report("index damaged", fmt.Errorf("duplicate index is damaged, it is moved aside and built anew: %w", err))
		if err = moveAside(dir); err == nil {
			err = i.open()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open duplicate index: %w", err)
	}
	return i, nil
}

// open sets db and what is stored in it.
func (i *Index) open() error {
	db, s, trimmed, err := openStore(i.dir, i.logger, i.fail)
	if err != nil {
		return err
	}
	i.db = db
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state, i.trimmed, i.durable, i.ready, i.failure = s, trimmed, s.applied, false, nil
	return nil
}

// Close flushes and closes the index. It waits for Run to return, so end Run's
// context first. FlagDuplicates and Trim return ErrClosed from now on.
func (i *Index) Close() error {
	i.mu.Lock()
	already := i.closed
	i.closed = true
	i.announce()
	i.mu.Unlock()
	if already {
		return nil
	}
	i.running.Lock()
	defer i.running.Unlock()
	i.life.Lock()
	defer i.life.Unlock()
	if err := errors.Join(i.db.Flush(), i.db.Close()); err != nil {
		return fmt.Errorf("close duplicate index: %w", err)
	}
	return nil
}

// Applied is the position up to, not including, which every record is decided.
// It is zero until Run has compared the index with the journal.
func (i *Index) Applied() event.Position {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.ready {
		return event.Position{}
	}
	return i.state.applied
}

// Durable is the position from which the follower would go on after a crash of
// the machine: the journal must keep what is not before it. It is zero until Run
// has compared the index with the journal, and follows Applied within seconds.
func (i *Index) Durable() event.Position {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.ready {
		return event.Position{}
	}
	return i.durable
}

// Trim drops the flags of records before a position, which is the lowest that a
// reader may still ask for. A position below an earlier one has no effect.
func (i *Index) Trim(before event.Position) error {
	i.life.RLock()
	defer i.life.RUnlock()
	i.mu.Lock()
	if i.closed {
		i.mu.Unlock()
		return ErrClosed
	}
	from := i.trimmed
	if i.state.applied.Before(before) {
		before = i.state.applied // what is not decided yet cannot be trimmed
	}
	if !i.ready || !from.Before(before) {
		i.mu.Unlock()
		return nil
	}
	i.trimmed = before
	i.mu.Unlock()

	b := i.db.NewBatch()
	defer b.Close() //nolint:errcheck // it was applied, or its error is returned
	if err := errors.Join(
		b.DeleteRange(appendFlagKey(nil, from), appendFlagKey(nil, before), nil),
		b.Set([]byte{trimKey}, event.AppendPosition(nil, before), nil),
		i.db.Apply(b, pebble.NoSync),
	); err != nil {
		return fmt.Errorf("trim duplicate flags: %w", err)
	}
	return nil
}

// announce wakes all who wait for a change. The mutex is locked.
func (i *Index) announce() {
	if i.changed != nil {
		close(i.changed)
		i.changed = nil
	}
}

// fail records why the store cannot go on, and ends followOnce.
func (i *Index) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failure == nil {
		i.failure = err
	}
	if i.interrupt != nil {
		i.interrupt()
	}
}

// report logs an incident and reports it.
func (i *Index) report(class string, err error) {
	i.logger.Warn(class, slog.String("err", err.Error()))
	if i.reporter != nil {
		i.reporter.Report(fault.Incident{Component: "dedup", Class: class, Err: err, Time: time.Now()})
	}
}
