package dedup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

// Events is the journal's events stream.
type Events interface {
	// Epoch names the stream: positions of different epochs have nothing in common.
	Epoch() string
	// Bounds returns the position of the first message that is still there and the
	// one after the last. Both are {1 0} for a stream that never had any.
	Bounds(ctx context.Context) (first, end event.Position, err error)
	// Read reads from a position on, or from the first message that is still there,
	// if that is later.
	Read(ctx context.Context, from event.Position) (Reader, error)
}

// Reader reads messages in order.
type Reader interface {
	// Next returns the next message, waiting until there is one or ctx ends. A
	// call that returns an error loses nothing: the next call goes on with the
	// same message.
	Next(ctx context.Context) (event.Batch, error)
	Close() error
}

const (
	// flushEvery bounds what has to be read again after a crash, by time and by
	// records, and is how often the byte budget is looked at.
	flushEvery   = 5 * time.Second
	flushRecords = 1 << 16
)

// backoff is between attempts to follow a journal that fails. It does not wait for
// what the journal asks: lanes wait for the index.
var backoff = retry.Backoff{Min: 100 * time.Millisecond, Max: 10 * time.Second}

// Run is the follower. It decides every record of source, from where it stopped last
// time, until ctx ends; then it flushes and returns nil. When source fails, it tries
// again after a growing pause. It builds a damaged index anew. An index that cannot
// be written is reported once and opened again after a growing pause. Run returns an
// error when the index cannot be closed or moved aside for that, and when the last
// flush fails. A second Run waits for the first to return.
func (i *Index) Run(ctx context.Context, source Events) error {
	stopping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopLimit, cancel) })()
	return within(stopping, func() error { return i.run(ctx, source) })
}

// run follows until ctx ends.
func (i *Index) run(ctx context.Context, source Events) error {
	i.running.Lock()
	defer i.running.Unlock()
	failing := make(retry.Streaks)
	for failures := 0; ; {
		applied, durable := i.Applied(), i.flushed()
		err := i.followOnce(ctx, source)
		broken := i.store == nil || i.store.failure() != nil || damaged(err)
		progress := i.Applied() != applied
		if broken {
			progress = i.flushed() != durable
		}
		if failures++; progress {
			failures = 1
			failing.Begins("write", nil)
		}
		switch {
		case broken && ctx.Err() != nil:
			return fmt.Errorf("write duplicate index: %w", errors.Join(err, i.abandon()))
		case broken:
			if err := i.recover(err, failing); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return i.flush()
		default:
			i.report("follow journal", fmt.Errorf("the duplicate index cannot follow the journal, it will retry: %w", err))
		}
		_ = retry.Sleep(ctx, backoff.Delay(failures, nil)) // followOnce returns at once when ctx has ended
	}
}

// flushed is the position up to which the store is flushed.
func (i *Index) flushed() event.Position {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.durable
}

// followOnce follows the journal until something fails or ctx ends. The error is the
// store's failure if there is one.
func (i *Index) followOnce(ctx context.Context, source Events) (err error) {
	if i.store == nil {
		i.life.Lock()
		err := i.open()
		i.life.Unlock()
		if err != nil {
			return err
		}
	}
	st := i.store
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(st.alive, cancel)()
	defer func() {
		if failure := st.failure(); failure != nil {
			err = failure
		}
	}()
	if err := i.reconcile(ctx, source); err != nil {
		return err
	}
	r, err := source.Read(ctx, i.Applied())
	if err != nil {
		return outsideError{fmt.Errorf("read journal: %w", err)}
	}
	defer func() { err = errors.Join(err, r.Close()) }()

	w, err := newWriter(i)
	if err != nil {
		return err
	}
	defer w.close()
	for ctx.Err() == nil {
		if err := i.applyFor(ctx, r, w); err != nil {
			return err
		}
		if err := i.maintain(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// applyFor applies messages until maintenance is due.
func (i *Index) applyFor(ctx context.Context, r Reader, w *writer) error {
	timed, cancel := context.WithTimeout(ctx, flushEvery)
	defer cancel()
	for records := 0; records < flushRecords; {
		batch, err := r.Next(timed)
		if timed.Err() != nil && err != nil {
			return nil
		}
		if err != nil {
			return outsideError{fmt.Errorf("read journal: %w", err)}
		}
		if err := w.apply(batch); err != nil {
			return err
		}
		records += len(batch.Records)
	}
	return nil
}

// reconcile compares the index with the journal, and empties an index that does not
// belong to it.
func (i *Index) reconcile(ctx context.Context, source Events) error {
	first, end, err := source.Bounds(ctx)
	if err != nil {
		return outsideError{fmt.Errorf("read the journal's bounds: %w", err)}
	}
	epoch := source.Epoch()
	i.mu.Lock()
	s := i.state.clone()
	i.mu.Unlock()
	switch {
	case s.epoch == epoch && !end.Before(s.applied):
		i.mu.Lock()
		i.ready = true
		i.announce()
		i.mu.Unlock()
		return nil
	case s.epoch == "" && first.Seq > 1:
		i.report("index rebuilt", errors.New("there is no duplicate index of this journal, which was trimmed: it is built from the records that are left"))
	case s.epoch == "": // the journal is whole: building the index forgets nothing
		i.logger.Info("duplicate index begins")
	case s.epoch != epoch:
		i.report("index rebuilt", errors.New("the duplicate index is of another journal: it is built from the journal's start"))
	default:
		i.report("index rebuilt", fmt.Errorf("the duplicate index is at %s, beyond the journal's end %s: it is built from the journal's start", s.applied, end))
	}
	return i.reset(epoch)
}

// invalidate says that flags which were there are about to go.
func (i *Index) invalidate() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ready = false
	i.incarnation++
}

// reset empties the index for an epoch.
func (i *Index) reset(epoch string) error {
	i.invalidate()
	s := state{epoch: epoch}
	b := i.store.db.NewBatch()
	defer b.Close() //nolint:errcheck // it was applied, or its error is returned
	if err := errors.Join(
		b.DeleteRange([]byte{0}, []byte{endKey}, nil),
		b.Set([]byte{stateKey}, s.append(nil), nil),
		i.store.db.Apply(b, pebble.NoSync), i.store.flush(),
	); err != nil {
		return fmt.Errorf("empty duplicate index: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state, i.trimmed, i.durable, i.ready = s, event.Position{}, event.Position{}, true
	i.announce()
	return nil
}

// recover closes a store that failed, so that followOnce opens it again. It moves a
// damaged one aside first; the new one is empty.
func (i *Index) recover(why error, failing retry.Streaks) error {
	if damaged(why) {
		i.report("index damaged", fmt.Errorf("duplicate index is damaged or gone: what is left is moved aside, and it is built anew: %w", why))
	} else if failing.Begins("write", why) {
		i.report("index not writable", fmt.Errorf("the duplicate index cannot be written, so lanes and the loader wait; check the disk, its free space and "+
			"the permissions of %s; the index tries again by itself, and goes on from the journal: %w", i.dir, why))
	}
	if err := i.abandon(); err != nil {
		return err
	}
	if damaged(why) {
		if err := moveAside(i.dir); err != nil {
			return fmt.Errorf("replace damaged duplicate index: %w", err)
		}
	}
	return nil
}

// abandon closes a store that failed.
func (i *Index) abandon() error {
	i.life.Lock()
	defer i.life.Unlock()
	i.invalidate()
	st := i.store
	i.store = nil
	if st == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	err := within(ctx, st.db.Close)
	if errors.Is(err, errStuck) {
		return err
	}
	if err != nil {
		i.logger.Warn("close failed duplicate index", slog.String("err", err.Error()))
	}
	return nil
}
