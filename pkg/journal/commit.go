package journal

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	codeStoreFailed   = 10077 // the stream's bound, or the disk
	codeStorageLimit  = 10047
	codeWrongLast     = 10071 // the lane has another last message
	codeWrongLastOnly = 10164 // the same, without the sequence
)

// commit is the loop of group commit: one publish is in flight, and the calls that
// come meanwhile form the next group. When ctx ends, it stores what waits, within
// drainLimit, and fails the rest.
func (j *Journal) commit(ctx context.Context) {
	storing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(drainLimit, cancel) })()
	for g := j.queue.next(ctx); g != nil; g = j.queue.next(ctx) {
		seq, err := uint64(0), errUnavailable(errors.New("shutting down"))
		if storing.Err() == nil {
			seq, err = j.store(storing, g)
		}
		j.queue.resolve(g, seq, err)
	}
}

// store publishes a group, repeating it under the same message id for as long
// as patience lasts.
func (j *Journal) store(ctx context.Context, g *group) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, j.patience)
	defer cancel()
	h := j.tail.next(g.count)
	seal(g.frame, h)
	msg := &nats.Msg{Subject: eventsSubject, Data: g.frame, Header: j.messageID()}
	start := time.Now()
	ack, sure, err := j.publish(ctx, msg, j.events)
	if err == nil {
		j.gate.full.Store(false)
		j.stored(g, h.at(ack.Sequence), time.Since(start))
		return ack.Sequence, nil
	}
	if !sure {
		// Nobody can say whether this batch number is in use.
		j.tail = newChain()
	}
	if errors.Is(err, ErrFull) {
		j.gate.full.Store(true)
	}
	return 0, err
}

func (j *Journal) stored(g *group, end tail, took time.Duration) {
	j.metrics.commitSeconds.Observe(took.Seconds())
	j.metrics.groupRecords.Observe(float64(g.count))
	j.metrics.groupBytes.Observe(float64(len(g.frame)))
	j.tail = end
	j.pins.setAcked(lastAck{j.Epoch(), end})
	if j.events.advance(end.Seq, eventsSubject, bytes.Clone(g.frame)) { // the queue uses its frames again
		j.trimSoon()
	}
}

// messageID makes the header under which the server recognises a repetition.
func (j *Journal) messageID() nats.Header {
	id := j.boot + "." + strconv.FormatUint(j.messages.Add(1), 36)
	return nats.Header{jetstream.MsgIDHeader: []string{id}}
}

// publish sends msg to s until the server has answered or ctx ends. sure means that
// nothing was stored although there is an error. If the stream is full, it is
// trimmed once.
func (j *Journal) publish(ctx context.Context, msg *nats.Msg, s *Stream) (ack *jetstream.PubAck, sure bool, err error) {
	sure = true
	for trimmed := false; ; {
		ack, err = j.writes.publish(ctx, msg, j.attemptLimit)
		if err == nil {
			j.watch.answered()
			// The server goes on writing to files that were removed.
			if err := j.checkDir(); err != nil {
				return nil, false, errUnavailable(err)
			}
			return ack, true, nil
		}
		switch {
		case isFull(err) && !trimmed && j.trimFor(ctx, s, len(msg.Data)):
			trimmed = true
			continue
		case isFull(err):
			return nil, sure, errFull("the stream is at its bound and its readers are behind")
		case errors.Is(err, ErrFenced):
			return nil, sure, err
		}
		sure = false // it may have arrived
		j.watch.failed(err)
		if retry.Sleep(ctx, retryPause) != nil {
			return nil, sure, errUnavailable(err)
		}
	}
}

// isFull reports whether the stream is at its bound. Other failures of the store
// have the same code.
func isFull(err error) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return false
	}
	return e.ErrorCode == codeStorageLimit ||
		e.ErrorCode == codeStoreFailed && strings.Contains(e.Description, "maximum bytes exceeded")
}
