package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// A gap is a run of messages that are missing or damaged. A reader finds one in
// three ways: sequences are missing between two messages, the batches of a chain
// are (gapFinder), or the server says for ever that there is nothing more, although
// the stream goes on (passGap). Each is reported once (gapReporter).

// gapFinder finds what is missing between the messages that a reader gets.
type gapFinder struct {
	chains map[chain]tail
}

// chain identifies who numbers batches: a writer of events, or a lane.
type chain struct {
	lane string
	id   uint64
}

// chainLimit bounds what a reader remembers on a cluster with many writers.
const chainLimit = 256

// add takes the frame at seq, skipped sequences after the one before. It returns how
// many messages are missing in between, and how many records were in them (0 if
// unknown: other writers lost some too).
//
// Missing batches without a missing sequence mean that the end of the stream was
// lost and its sequences given out again.
func (f *gapFinder) add(lane string, h header, seq, skipped uint64) (messages, records uint64) {
	key := chain{lane, h.chain}
	last, known := f.chains[key]
	messages = skipped
	if known && h.batch > last.Batch+1 {
		own := h.batch - last.Batch - 1
		messages = max(skipped, own)
		if own == messages && h.before > last.Records {
			records = h.before - last.Records
		}
	}
	if skipped > 0 || len(f.chains) >= chainLimit {
		// The gap is reported once, not again by each writer that lost a part.
		clear(f.chains)
	}
	if f.chains == nil {
		f.chains = make(map[chain]tail)
	}
	f.chains[key] = h.at(seq)
	return messages, records
}

const (
	// endPeriod is how often a reader that finds nothing checks that it is at the
	// end.
	endPeriod = 2 * time.Second
	// probeLimit bounds for how many sequences one probe asks.
	probeLimit = 20000
)

// passGap is called when the server had nothing at or after the position. Usually
// that is the end of the stream. The server answers the same, for ever, before a
// damaged block: then the leader is asked for what comes after, if necessary one
// sequence at a time.
func (r *Reader) passGap(ctx context.Context) (*Message, error) {
	if r.s.last.Load() < r.next && time.Since(r.checked) < endPeriod {
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
// reports them as a gap and goes on after them.
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
	r.s.gaps.report(gap{r.s.label, from, m.Lost}, 0)
	return m, nil
}

type gap struct {
	stream         string // its label
	from, messages uint64
}

// gapReporter reports each gap once, however many readers find it.
type gapReporter struct {
	log      *slog.Logger
	reporter fault.Reporter
	metrics  *metrics

	mu       sync.Mutex
	reported map[gap]bool
}

// reportedLimit bounds what is remembered; beyond it a gap may be reported again.
const reportedLimit = 1024

// report reports a gap in which there were so many records, 0 if unknown.
func (r *gapReporter) report(g gap, records uint64) {
	r.mu.Lock()
	again := r.reported[g]
	if r.reported == nil || len(r.reported) >= reportedLimit {
		r.reported = make(map[gap]bool)
	}
	r.reported[g] = true
	r.mu.Unlock()
	if again {
		return
	}
	to := g.from + g.messages - 1
	r.metrics.lostMessages.WithLabelValues(g.stream).Add(float64(g.messages))
	r.log.Error("journal messages are missing", "stream", g.stream,
		"from_seq", g.from, "to_seq", to, "messages", g.messages, "records", records)
	known := "an unknown number of"
	if records > 0 {
		known = fmt.Sprint(records)
	}
	fault.Report(r.reporter, "journal", "lost messages", fmt.Errorf("stream %s: messages %d to %d are missing or damaged, with %s records", g.stream, g.from, to, known))
}
