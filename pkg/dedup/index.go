package dedup

import (
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

// Errors of an Index. ErrClosed is returned by Mark and Trim after Close.
// ErrTrimmed is wrapped by Mark when the flags it was asked for have been
// dropped by Trim.
var (
	ErrClosed  = errors.New("duplicate index is closed")
	ErrTrimmed = errors.New("duplicate flags are trimmed")
)

// Options are what an Index is given besides its configuration. The zero
// Options work.
type Options struct {
	Logger     *slog.Logger          // nil discards
	Registerer prometheus.Registerer // takes the metrics; nil leaves them unregistered
	Reporter   fault.Reporter        // is told of rebuilds, damage and a shortened window; may be nil
}

// Index is the duplicate index of one journal. Its methods are safe for
// concurrent use. Make one with Open, Run its follower, Close it.
type Index struct {
	dir      string
	config   Config
	logger   *slog.Logger
	reporter fault.Reporter
	metrics  *metrics

	running sync.Mutex // held by Run: one follower at a time

	life sync.RWMutex // db is used under it, and replaced or closed holding it
	db   *pebble.DB

	mu          sync.Mutex
	state       state          // as last committed
	trimmed     event.Position // flags before it are dropped
	durable     event.Position // what of state.applied is flushed
	ready       bool           // state was compared with the journal: it may be believed
	incarnation int            // grows when flags that were there are gone
	closed      bool
	failure     error              // why the store cannot go on
	interrupt   context.CancelFunc // ends the follower's session
	changed     chan struct{}      // closed when any of the above changes; nil while nobody waits
}

// Open opens the index in dir, which it makes if need be and which no other
// process may have open. A damaged directory is moved aside and an empty index
// opened in its place, which Run will fill. The error is about the
// configuration, the metrics or the file system.
func Open(dir string, config Config, options Options) (*Index, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	m, err := newMetrics(options.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register duplicate index metrics: %w", err)
	}
	i := &Index{dir: dir, config: config, logger: options.Logger, reporter: options.Reporter, metrics: m}
	if i.logger == nil {
		i.logger = slog.New(slog.DiscardHandler)
	}
	err = i.open()
	if err != nil && damaged(err) {
		i.tell("index damaged", fmt.Errorf("duplicate index is damaged, it is moved aside and built anew: %w", err))
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
	db, s, stored, err := openStore(i.dir, i.logger, i.fail)
	if err != nil {
		return err
	}
	var trimmed event.Position
	if stored != nil {
		if trimmed, err = parsePosition(stored); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	i.db = db
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state, i.trimmed, i.durable, i.ready, i.failure = s, trimmed, s.applied, false, nil
	return nil
}

// Close flushes and closes the index. It waits for Run to return, so end Run's
// context first. Mark and Trim return ErrClosed from now on.
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

// Trim drops the flags of records before a position: the lowest that any reader
// may still ask for. Going back has no effect.
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

// announce wakes whoever waits for a change. It is called with mu held.
func (i *Index) announce() {
	if i.changed != nil {
		close(i.changed)
		i.changed = nil
	}
}

// fail notes that the store cannot go on; the follower's session ends.
func (i *Index) fail(why string) { i.condemn(errors.New(why)) }

func (i *Index) condemn(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failure == nil {
		i.failure = err
	}
	if i.interrupt != nil {
		i.interrupt()
	}
}

// tell reports an incident to the log and to the observer.
func (i *Index) tell(class string, err error) {
	i.logger.Warn(class, slog.String("err", err.Error()))
	if i.reporter != nil {
		i.reporter.Report(fault.Incident{Component: "dedup", Class: class, Err: err, Time: time.Now()})
	}
}
