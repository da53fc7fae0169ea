package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// resume finds the end of the events stream, goes on with its chain, and replaces a
// tail that was lost.
func (j *Journal) resume(ctx context.Context) error {
	for _, s := range []*Stream{j.events, j.outcomes} {
		state, err := j.reads.state(ctx, s.name)
		if err != nil {
			return fmt.Errorf("find the end of %s: %w", s.label, err)
		}
		s.observe(state)
	}
	if j.server == nil {
		return nil // others write too: a new chain, and the cluster keeps the tail
	}
	if err := j.continueChain(ctx); err != nil {
		return err
	}
	return j.restoreEnd(ctx)
}

// continueChain goes on with the chain of the last message, or of the last
// acknowledgement if that was further.
func (j *Journal) continueChain(ctx context.Context) error {
	last, err := j.reads.get(ctx, eventsStream, getRequest{LastFor: eventsSubject})
	if err != nil && !errors.Is(err, ErrGone) {
		return fmt.Errorf("read the last message: %w", err)
	}
	h, bad := decodeHeader(last.Data)
	end := j.pins.acked
	switch {
	case bad == nil && (h.chain != end.Chain || h.batch >= end.Batch):
		j.tail = h.at(last.Seq)
	case end.Seq > 0:
		j.tail = end.tail
	}
	return nil
}

// pinLead is how far a pin may be ahead of the last acknowledgement, which is stored
// once a second. A pin that is further ahead is not believed.
const pinLead = 10_000

// restoreEnd appends empty frames up to the highest sequence that is known to have
// been given out, from the last acknowledgement and from the pins.
func (j *Journal) restoreEnd(ctx context.Context) error {
	known := j.pins.acked.Seq
	for _, seq := range j.pins.of(j.events.label) {
		if seq = seq - min(seq, 1); seq <= j.pins.acked.Seq+pinLead {
			known = max(known, seq)
		}
	}
	last := j.events.last.Load()
	if last >= known {
		return nil
	}
	j.log.Error("the end of the journal is missing", "stream", j.events.label, "from_seq", last+1, "to_seq", known)
	fault.Report(j.reporter, "journal", "lost messages", fmt.Errorf("stream events: messages %d to %d, its end, are missing or damaged", last+1, known))
	for last < known {
		frame := make([]byte, headerSize)
		h := j.tail.next(0)
		seal(frame, h)
		msg := &nats.Msg{Subject: eventsSubject, Data: frame, Header: j.messageID()}
		ack, err := j.writes.publish(ctx, msg, j.attemptLimit)
		if isFull(err) {
			return nil // the appends will find this out too; the next start goes on
		}
		if err != nil {
			return fmt.Errorf("restore the end of events: %w", err)
		}
		last = ack.Sequence
		j.tail = h.at(last)
		j.events.advance(last, eventsSubject, frame)
	}
	return nil
}
