package dedup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Source is the journal's events stream.
type Source interface {
	// Epoch names the stream: positions of different epochs have nothing in common.
	Epoch() string
	// Bounds are the position of the first message that is still held and that
	// after the last one; both are {1 0} for a stream that never had any.
	Bounds(ctx context.Context) (first, end event.Position, err error)
	// Read reads from a position on, or from the first message that is still
	// held, if that is later.
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

	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

var errEpoch = errors.New("the journal's epoch changed")

// Run is the follower: it decides every record of source, from where it stopped
// last time, until ctx ends; then it flushes and returns nil. A source that
// fails is tried again with a growing pause; a damaged index is built anew. It
// returns an error when the index cannot be written. A second Run waits for the
// first to return.
func (i *Index) Run(ctx context.Context, source Source) error {
	i.running.Lock()
	defer i.running.Unlock()
	pause := firstPause
	for {
		before := i.Applied()
		err := i.session(ctx, source)
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
			i.tell("follow journal", fmt.Errorf("duplicate index follows the journal, tries again in %s: %w", pause, err))
		}
		if i.Applied() != before {
			pause = firstPause
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, maxPause)
	}
}

func (i *Index) failed() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.failure
}

// session follows the journal until something goes wrong or ctx ends.
func (i *Index) session(ctx context.Context, source Source) (err error) {
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
		if err := i.stretch(ctx, r, w); err != nil {
			return err
		}
		if err := i.maintain(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// stretch applies messages until it is time for maintenance.
func (i *Index) stretch(ctx context.Context, r Reader, w *writer) error {
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

// reconcile compares the index with the journal and starts anew where they do
// not fit.
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
		i.tell("index rebuilt", errors.New("there is no duplicate index of this journal, which was trimmed: it is built from what is left"))
	case s.epoch == "": // the journal is whole: building the index forgets nothing
		i.logger.Info("duplicate index begins")
	case s.epoch != epoch:
		i.tell("index rebuilt", errors.New("the duplicate index is of another journal: it is built from the journal's start"))
	default:
		i.tell("index rebuilt", fmt.Errorf("the duplicate index is at %s, beyond the journal's end %s: it is built from the journal's start", s.applied, end))
	}
	return i.reset(epoch)
}

// reset empties the index for an epoch.
func (i *Index) reset(epoch string) error {
	i.mu.Lock()
	i.ready = false
	i.incarnation++
	i.mu.Unlock()
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
	i.tell("index damaged", fmt.Errorf("duplicate index is damaged, it is moved aside and built anew: %w", why))
	i.life.Lock()
	defer i.life.Unlock()
	i.mu.Lock()
	i.ready = false
	i.incarnation++
	i.mu.Unlock()
	if err := i.db.Close(); err != nil {
		i.logger.Warn("close damaged duplicate index", slog.String("err", err.Error()))
	}
	if err := moveAside(i.dir); err != nil {
		return err
	}
	return i.open()
}
