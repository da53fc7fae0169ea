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

// Source is the journal's events stream.
type Source interface {
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

var errEpoch = errors.New("the journal's epoch changed")

// Run is the follower. It decides every record of source, from where it stopped last
// time, until ctx ends; then it flushes and returns nil. When source fails, it tries
// again after a growing pause. It builds a damaged index anew. It returns an error
// when the index cannot be written. A second Run waits for the first to return.
func (i *Index) Run(ctx context.Context, source Source) error {
	i.running.Lock()
	defer i.running.Unlock()
	for failures := 0; ; {
		before := i.Applied()
		err := i.followOnce(ctx, source)
		failure := i.failed()
		switch {
		case damaged(failure) || damaged(err):
			if err := i.replace(errors.Join(failure, err)); err != nil {
				return fmt.Errorf("replace damaged duplicate index: %w", err)
			}
		case failure != nil:
			return fmt.Errorf("write duplicate index: %w", failure)
		case ctx.Err() != nil:
			return i.flush()
		default:
			i.report("follow journal", fmt.Errorf("the duplicate index cannot follow the journal, it will retry: %w", err))
		}
		failures++
		if i.Applied() != before {
			failures = 1
		}
		_ = retry.Sleep(ctx, backoff.Delay(failures, nil)) // followOnce returns at once when ctx has ended
	}
}

func (i *Index) failed() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.failure
}

// followOnce follows the journal until something fails or ctx ends.
func (i *Index) followOnce(ctx context.Context, source Source) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	i.mu.Lock()
	i.interrupt = cancel
	i.mu.Unlock()

	if err := i.reconcile(ctx, source); err != nil {
		return err
	}
	r, err := source.Read(ctx, i.Applied())
	if err != nil {
		return sourceError{fmt.Errorf("read journal: %w", err)}
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
			return sourceError{fmt.Errorf("read journal: %w", err)}
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
func (i *Index) reconcile(ctx context.Context, source Source) error {
	first, end, err := source.Bounds(ctx)
	if err != nil {
		return sourceError{fmt.Errorf("read the journal's bounds: %w", err)}
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
	b := i.db.NewBatch()
	defer b.Close() //nolint:errcheck // it was applied, or its error is returned
	if err := errors.Join(
		b.DeleteRange([]byte{0}, []byte{endKey}, nil),
		b.Set([]byte{stateKey}, s.append(nil), nil),
		i.db.Apply(b, pebble.NoSync), i.db.Flush(), i.failed(),
	); err != nil {
		return fmt.Errorf("empty duplicate index: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state, i.trimmed, i.durable, i.ready = s, event.Position{}, event.Position{}, true
	i.announce()
	return nil
}

// replace moves a damaged index aside and opens an empty one.
func (i *Index) replace(why error) error {
	i.report("index damaged", fmt.Errorf("duplicate index is damaged, it is moved aside and built anew: %w", why))
	i.life.Lock()
	defer i.life.Unlock()
	i.invalidate()
	if err := i.db.Close(); err != nil {
		i.logger.Warn("close damaged duplicate index", slog.String("err", err.Error()))
	}
	if err := moveAside(i.dir); err != nil {
		return err
	}
	return i.open()
}
