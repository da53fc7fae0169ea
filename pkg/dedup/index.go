package dedup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
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

	fs    vfs.FS
	life  sync.RWMutex // read-locked while store is used, locked while it is replaced or closed
	store *store       // nil after one failed, until it is opened again

	mu          sync.Mutex
	state       state          // as last committed
	trimmed     event.Position // flags before it are dropped
	durable     event.Position // what of state.applied is flushed
	ready       bool           // state was compared with the journal and belongs to it
	incarnation int            // grows when flags that were there are gone
	closed      bool
	changed     chan struct{} // closed when any of the above changes; nil while nobody waits
}

// Open opens the index in dir. It makes dir if it is missing; no other process may
// have it open. A damaged directory is moved aside, and an empty index opened in its
// place, which Run will fill. The error is about the configuration or the file
// system.
func Open(dir string, config Config, options Options) (*Index, error) {
	return openOn(vfs.Default, dir, config, options)
}

func openOn(fs vfs.FS, dir string, config Config, options Options) (*Index, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	logger := cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	i := &Index{fs: fs, dir: dir, config: config, logger: logger, reporter: options.Reporter, metrics: newMetrics(options.Registerer)}
	err := os.MkdirAll(filepath.Dir(dir), 0o700)
	if err == nil {
		err = i.open()
	}
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

// open sets store and what is stored in it.
func (i *Index) open() error {
	st, err := openStore(i.fs, i.dir, i.logger)
	if err != nil {
		return err
	}
	var s state
	var trimmed event.Position
	if err := errors.Join(
		st.load(stateKey, func(b []byte) (err error) { s, err = parseState(b); return err }),
		st.load(trimKey, func(b []byte) (err error) { trimmed, err = parsePosition(b); return err }),
	); err != nil {
		return errors.Join(err, st.db.Close())
	}
	i.store = st
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state, i.trimmed, i.durable, i.ready = s, trimmed, s.applied, false
	return nil
}

// Close flushes and closes the index. It waits for Run to return, so end Run's
// context first. FlagDuplicates and Trim return ErrClosed from now on. If the disk
// does not answer, Close returns an error after a few seconds and leaves the store
// to the end of the process.
func (i *Index) Close() error {
	i.mu.Lock()
	already := i.closed
	i.closed = true
	i.incarnation++ // FlagDuplicates looks again, and finds that it is closed
	i.announce()
	i.mu.Unlock()
	if already {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	err := within(ctx, func() error {
		i.running.Lock()
		defer i.running.Unlock()
		i.life.Lock()
		defer i.life.Unlock()
		if i.store == nil {
			return nil
		}
		st := i.store
		i.store = nil
		return errors.Join(st.flush(), st.db.Close())
	})
	if err != nil {
		return fmt.Errorf("close duplicate index: %w; nothing is lost: what was not flushed is decided again from the journal", err)
	}
	return nil
}

// stopLimit bounds how long a stop waits for the disk.
const stopLimit = 5 * time.Second

var errStuck = errors.New("the duplicate index's disk does not answer: check it, and restart the process")

// within runs f and waits for it until ctx ends. Pebble's calls cannot be
// interrupted: f goes on alone then.
func within(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errStuck
	}
}

// Applied is the position up to, not including, which every record is decided.
// It is zero until Run has compared the index with the journal.
func (i *Index) Applied() event.Position { return i.ifReady(&i.state.applied) }

// Durable is the position from which the follower would go on after a crash of
// the machine: the journal must keep what is not before it. It is zero until Run
// has compared the index with the journal, and follows Applied within seconds.
func (i *Index) Durable() event.Position { return i.ifReady(&i.durable) }

func (i *Index) ifReady(p *event.Position) event.Position {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.ready {
		return event.Position{}
	}
	return *p
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

	b := i.store.db.NewBatch()
	defer b.Close() //nolint:errcheck // it was applied, or its error is returned
	if err := errors.Join(
		b.DeleteRange(appendFlagKey(nil, from), appendFlagKey(nil, before), nil),
		b.Set([]byte{trimKey}, event.AppendPosition(nil, before), nil),
		i.store.db.Apply(b, pebble.NoSync),
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

// report logs an incident and reports it.
func (i *Index) report(class string, err error) {
	i.logger.Warn(class, slog.String("err", err.Error()))
	fault.Report(i.reporter, "dedup", class, err)
}
