package journal

import (
	"context"
	"errors"
	"time"
)

const (
	// holePeriod is how often a reader that finds nothing checks that it is at the
	// end.
	holePeriod = 2 * time.Second
	// probeLimit bounds how many sequences one probe of a hole asks for.
	probeLimit = 20000
)

// passHole is called when the server had nothing at or after the position.
// Usually that is the end of the stream. The server answers the same, for ever,
// before a damaged block: then the leader is asked for what comes after, if
// necessary one sequence at a time.
func (r *Reader) passHole(ctx context.Context) (*Message, error) {
	if r.s.last.Load() < r.next && time.Since(r.checked) < holePeriod {
		return nil, nil
	}
	state, err := r.s.reads.state(ctx, r.s.name)
	if err != nil {
		return nil, interrupted(ctx, err)
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
		got, err := r.s.reads.get(ctx, r.s.name, getRequest{Seq: seq})
		if err == nil {
			return r.deliver(got), nil
		}
		if !errors.Is(err, ErrGone) {
			return nil, interrupted(ctx, err)
		}
	}
	if r.next > 0 {
		from = r.next
	}
	r.next = end + 1
	m := &Message{Seq: end, Time: time.Now(), Lost: end - from + 1}
	clear(r.gaps.chains)
	r.s.losses.lost(r.s, from, m.Lost, 0)
	return m, nil
}
