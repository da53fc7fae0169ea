package journal

import (
	"context"
	"errors"
	"time"
)

const (
	// holePeriod is how often a reader that finds nothing makes sure that it is
	// at the end.
	holePeriod = 2 * time.Second
	// probeLimit bounds how many sequences one look at a hole asks for.
	probeLimit = 20000
)

// passHole is called when the server had nothing at or after the position.
// Mostly that is the end of the stream. It is also what the server answers in
// front of a damaged block, for ever: then the leader is asked for what comes
// after, one sequence at a time if need be.
func (r *Reader) passHole(ctx context.Context) (*Message, error) {
	if r.s.last.Load() < r.next && time.Since(r.checked) < holePeriod {
		return nil, nil
	}
	state, err := r.s.j.reads.state(ctx, r.s.name)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errInterrupted
	}
	r.checked = time.Now()
	if state.LastSeq < max(r.next, 1) {
		return nil, nil
	}
	from := max(r.next, state.FirstSeq, 1)
	got, err := r.firstFrom(ctx, from)
	if err == nil {
		return r.deliver(got), nil
	}
	if !errors.Is(err, ErrGone) {
		return nil, err
	}
	return r.probe(ctx, from, state.LastSeq)
}

// probe asks for one sequence after the other. If all are gone up to last, it
// reports them as lost and goes on after them.
func (r *Reader) probe(ctx context.Context, from, last uint64) (*Message, error) {
	end := min(last, from+probeLimit-1)
	for seq := from; seq <= end; seq++ {
		got, err := r.s.j.reads.get(ctx, r.s.name, getRequest{Seq: seq})
		switch {
		case err == nil:
			return r.deliver(got), nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(err, ErrGone):
			return nil, errInterrupted
		}
	}
	if r.next > 0 {
		from = r.next
	}
	r.next = end + 1
	m := &Message{Seq: end, Time: time.Now(), Lost: end - from + 1}
	clear(r.gaps.chains)
	r.s.j.losses.report(r.s, from, m.Lost, 0)
	return m, nil
}
