package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	maxDraftBytes  = 256 << 10 // of a draft's rows and counts, before it is published
	maxReportBytes = 900 << 10 // of a report; vendors' answers are cut to fit
	publishTimeout = 10 * time.Second
	flushTimeout   = 5 * time.Second
	maxPublishWait = 10 * time.Second
)

// draft is what the lane has decided and not yet published.
type draft struct {
	tally
	plan    string
	rows    []event.Delivery
	gaps    []event.Gap
	records int
	moved   bool // the watermark did
	urgent  bool // holds outcomes or parked events, or takes intents back
	bytes   int  // of the rows, roughly
}

func (d *draft) add(row event.Delivery) {
	d.rows = append(d.rows, row)
	d.bytes += rowBytes(&row)
	d.urgent = true
}

// dirty reports whether there is anything to publish.
func (d *draft) dirty() bool { return d.urgent || d.moved || d.size > 0 || len(d.gaps) > 0 }

// full reports whether the draft must be published before it grows.
func (d *draft) full() bool {
	return d.size+d.bytes >= maxDraftBytes || len(d.rows) >= maxRows || d.records >= maxRecords
}

func rowBytes(r *event.Delivery) int { return 48 + len(r.EventID) + len(r.Reason) + len(r.Error) }

// publish makes the draft and the lane's state durable. It tries until it
// succeeds, another process turns out to own the lane, or ctx ends; then it
// returns an error and the draft stands.
func (l *Lane) publish(ctx context.Context, intents []event.Position) error {
	return l.persist(ctx, l.report(intents), false)
}

// persist publishes r until it is durable. ambiguous says that an attempt at it
// has been made whose result is unknown.
func (l *Lane) persist(ctx context.Context, r *event.Checkpoint, ambiguous bool) error {
	told := ""
	for attempt := 1; ; attempt++ {
		seq, err := l.put(ctx, r, ambiguous)
		if err == nil {
			l.recorded(r, seq)
			if told != "" {
				l.log.Info("outcomes are published again")
			}
			return nil
		}
		l.metrics.publishErrors.Inc()
		if errors.Is(err, ErrFenced) {
			return fmt.Errorf("publish outcomes: %w", err)
		}
		ambiguous, l.unsure = true, r
		if ctx.Err() != nil {
			return fmt.Errorf("publish outcomes: %w", err)
		}
		if told != err.Error() {
			told = err.Error()
			l.log.Error("cannot publish outcomes, will retry", "err", err)
			l.internal("publish outcomes", err)
		}
		sleep(ctx, min(maxPublishWait, 100*time.Millisecond<<min(attempt, 7)))
	}
}

// put publishes once. It outlives ctx by its own bound, so that a shutdown does
// not leave open whether the report was taken. After an attempt that left it
// open, a refusal may be due to our own report: then the last one is compared.
func (l *Lane) put(ctx context.Context, r *event.Checkpoint, ambiguous bool) (uint64, error) {
	limit := publishTimeout
	if ctx.Err() != nil {
		limit = flushTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	seq, err := l.deps.OutcomeLog.Publish(ctx, r, l.seq)
	if err == nil || !ambiguous || !errors.Is(err, ErrFenced) {
		return seq, err
	}
	last, at, ok, lastErr := l.deps.OutcomeLog.Last(ctx, l.config.Name)
	if lastErr != nil {
		return 0, fmt.Errorf("read last report: %w", lastErr)
	}
	if ok && sameReport(&last, r) {
		return at, nil
	}
	return 0, err
}

func sameReport(a, b *event.Checkpoint) bool {
	x, _ := a.AppendBinary(nil) // the error is always nil
	y, _ := b.AppendBinary(nil)
	return bytes.Equal(x, y)
}

// report is the draft and the lane's complete state.
func (l *Lane) report(intents []event.Position) *event.Checkpoint {
	r := &event.Checkpoint{
		Tracker: l.config.Name, Epoch: l.epoch, Plan: l.draft.plan, Release: l.deps.Release,
		Time: time.Now().UTC().Truncate(time.Microsecond), Start: l.start, Watermark: l.watermark, Closed: l.closed,
		Deliveries: l.draft.rows, Parked: l.parkedList(), Gaps: l.draft.gaps,
	}
	for h, n := range l.draft.held {
		h.Count = n
		r.Filtered = append(r.Filtered, h)
	}
	for k, n := range l.draft.leaks {
		k.Count = n
		r.Leaks = append(r.Leaks, k)
	}
	r.Intents = slices.AppendSeq(intents, maps.Keys(l.carried))
	slices.SortFunc(r.Intents, event.Position.Compare)
	fit(r, l.draft.tally.size)
	return r
}

// fit cuts the vendors' answers so that the report fits one message.
func fit(r *event.Checkpoint, tally int) {
	total := tally + 26*len(r.Parked) + 15*len(r.Intents) + 30*len(r.Gaps) + 512
	answers := 0
	for i := range r.Deliveries {
		answers += len(r.Deliveries[i].Error)
		total += rowBytes(&r.Deliveries[i])
	}
	if total <= maxReportBytes || answers == 0 {
		return
	}
	share := max(0, maxReportBytes-(total-answers)) / len(r.Deliveries)
	for i := range r.Deliveries {
		r.Deliveries[i].Error = cut(r.Deliveries[i].Error, share)
	}
}

// recorded begins a new draft after a report became durable.
func (l *Lane) recorded(r *event.Checkpoint, seq uint64) {
	l.seq, l.published = seq, time.Now()
	l.draft = draft{plan: l.draft.plan, urgent: len(r.Intents) > len(l.carried)}
	l.unsure = nil
	l.metrics.count(r)
	l.board.publish(l, r)
}

// flush publishes what is decided when the lane stops. A report that the stop
// left in the air comes first: its draft has not changed since.
func (l *Lane) flush(ctx context.Context) error {
	if l.unsure != nil {
		if err := l.persist(ctx, l.unsure, true); err != nil {
			return err
		}
	}
	if l.seq == 0 || !l.draft.dirty() {
		return nil
	}
	return l.publish(ctx, nil)
}
