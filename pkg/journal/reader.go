package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	// A request asks for this much at once. Together with the size of one message
	// it bounds a reader's memory.
	fetchMessages = 256
	fetchBytes    = 1 << 20
	// pollLocal and pollRemote are how long a reader sleeps that nobody wakes.
	// Messages of this process wake it at once; others are found by asking.
	pollLocal  = time.Second
	pollRemote = 50 * time.Millisecond
)

// Reader reads a stream from a position of its own. It is used by one goroutine
// at a time.
type Reader struct {
	s       *Stream
	fetch   *fetcher
	next    uint64 // the lowest sequence still wanted; 0 for whatever is first
	epoch   string
	gaps    gapFinder
	wake    <-chan struct{} // closed when something came after the last request
	checked time.Time       // when the end was last compared with the position
}

// Read returns a reader that begins at the first message with a sequence of at
// least from; 0 means whatever is first. If from was trimmed already, the first
// message says so in Lost. If from is beyond the end of the stream, so that it
// must belong to another journal, the error is ErrAhead.
func (s *Stream) Read(ctx context.Context, from uint64) (*Reader, error) {
	_, end, err := s.Bounds(ctx)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if from > end {
		return nil, fmt.Errorf("read %s from %d: %w: it ends before %d", s.label, from, ErrAhead, end)
	}
	f, err := newFetcher(s.reads, s.name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.label, unavailable(ctx, err))
	}
	r := &Reader{s: s, fetch: f, next: from, epoch: *s.epoch.Load()}
	r.recall(ctx)
	return r, nil
}

// recall reads the message before the first, so that a gap between the two is
// found. If it is gone, only missing sequences show a gap.
func (r *Reader) recall(ctx context.Context) {
	if r.next < 2 {
		return
	}
	m, err := r.s.reads.get(ctx, r.s.name, getRequest{Seq: r.next - 1})
	if err != nil {
		return
	}
	if h, err := decodeHeader(m.Data); err == nil {
		r.gaps.add(r.s.lane(m.Subject), h, m.Seq, 0)
	}
}

// Close ends the reader. The pin of the reader's owner stays.
func (r *Reader) Close() error {
	r.fetch.cancel()
	if err := r.fetch.close(); err != nil && r.s.life.Err() == nil {
		return fmt.Errorf("close reader of %s: %w", r.s.label, err)
	}
	return nil
}

// Next returns the next message; it waits until there is one. It goes on by
// itself after a restart of the server or a lost connection. When ctx ends, it
// returns the context's error and loses nothing: the next call goes on.
// Other errors: ErrClosed, and ErrEpochChanged when the stream was replaced.
func (r *Reader) Next(ctx context.Context) (Message, error) {
	for {
		m, err := r.poll(ctx)
		if err != nil {
			return Message{}, err
		}
		if m != nil {
			return *m, nil
		}
		if err := r.sleep(ctx); err != nil {
			return Message{}, err
		}
	}
}

// poll returns the next message, nil if there is none now. It waits for the server's
// answer only.
func (r *Reader) poll(ctx context.Context) (*Message, error) {
	for {
		if err := r.usable(ctx); err != nil {
			return nil, err
		}
		m, more, err := r.step(ctx)
		if errors.Is(err, errInterrupted) {
			err = retry.Sleep(ctx, retryPause)
			more = true
		}
		if err != nil || m != nil || !more {
			return m, err
		}
	}
}

func (r *Reader) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.s.life.Err() != nil {
		return ErrClosed
	}
	if *r.s.epoch.Load() != r.epoch {
		return fmt.Errorf("read %s: %w", r.s.label, ErrEpochChanged)
	}
	return nil
}

// step reads one message of the answer under way; without one it asks first. more
// is false when there was nothing at all.
func (r *Reader) step(ctx context.Context) (m *Message, more bool, err error) {
	asked := !r.fetch.awaiting()
	if asked {
		got, ok := r.s.recent.get(r.next)
		if !ok {
			r.wake = r.s.signal() // before asking, so that no message is missed
			got, ok = r.s.recent.get(r.next)
		}
		switch {
		case ok:
			return r.deliver(got), true, nil
		case r.s.embedded && r.next > r.s.last.Load(): // all messages come through this process
			m, err := r.passGap(ctx)
			return m, false, err
		}
		want := getRequest{Seq: max(r.next, 1), Batch: fetchMessages, MaxBytes: fetchBytes}
		if err := r.fetch.request(want); err != nil {
			return nil, false, err
		}
	}
	msg, err := r.fetch.next(ctx)
	if err != nil {
		return nil, false, err
	}
	if msg == nil { // the end of an answer
		if !asked {
			return nil, r.fetch.behind, nil
		}
		m, err := r.passGap(ctx)
		return m, false, err
	}
	got, err := direct(msg)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", r.s.label, err)
	}
	m, err = r.accept(ctx, got)
	return m, true, err
}

// accept turns a message from the server into one for the caller. If it is not the
// one expected, the leader is asked before messages count as lost: a replica may
// lack what its leader has, and a reconnect may have cut the answer short.
func (r *Reader) accept(ctx context.Context, got stored) (*Message, error) {
	if got.Seq < r.next {
		return nil, nil
	}
	if r.next > 0 && got.Seq > r.next {
		first, err := r.firstFrom(ctx, r.next)
		switch {
		case errors.Is(err, ErrGone):
		case err != nil:
			return nil, err
		case first.Seq < got.Seq:
			r.fetch.cancel()
			got = first
		}
	}
	return r.deliver(got), nil
}

// firstFrom asks the leader for the first message at or after seq.
func (r *Reader) firstFrom(ctx context.Context, seq uint64) (stored, error) {
	m, err := r.s.reads.get(ctx, r.s.name, getRequest{Seq: seq, NextFor: ">"})
	return m, interrupted(ctx, err)
}

// interrupted returns what a reader does about a failed request: it stops if ctx
// ended, goes on if the message is gone, and otherwise asks again.
func interrupted(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(err, ErrGone):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return errInterrupted
}

// deliver makes a Message and moves on. It returns nil for an empty frame that
// has nothing to report.
func (r *Reader) deliver(got stored) *Message {
	from := got.Seq // of what is lost; also where sequences were given out again
	if r.next > 0 {
		from = r.next
	}
	skipped := got.Seq - from
	r.next = got.Seq + 1
	m := &Message{Seq: got.Seq, Time: got.Time, Subject: r.s.lane(got.Subject)}
	h, records, err := decodeFrame(got.Data)
	if err != nil {
		m.Lost = skipped + 1
	} else {
		m.Records = records
		m.Lost, m.LostRecords = r.gaps.add(m.Subject, h, m.Seq, skipped)
	}
	if m.Lost > 0 {
		r.s.gaps.report(gap{r.s.label, from, m.Lost}, m.LostRecords)
	}
	if len(m.Records) == 0 && m.Lost == 0 {
		return nil
	}
	return m
}

// sleep waits until there may be something new.
func (r *Reader) sleep(ctx context.Context) error {
	select {
	case <-r.wake:
	case <-time.After(r.s.period):
	case <-r.s.life.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
