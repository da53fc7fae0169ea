package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	maxDraftBytes      = 256 << 10 // of a draft's rows and counts, before it is published
	maxCheckpointBytes = 900 << 10 // of a checkpoint; vendors' responses are cut to fit
	publishTimeout     = 10 * time.Second
	flushTimeout       = 5 * time.Second
	maxPublishWait     = 10 * time.Second
)

// outbox publishes a lane's decisions, and with them its complete state. Each
// checkpoint must follow the lane's own last one (seq): so a second process that
// runs the lane is fenced off.
type outbox struct {
	name      string
	release   string
	log       *slog.Logger
	outcomes  OutcomeLog
	metrics   *laneMetrics
	view      *statusView
	incidents *incidents
	parking   *parking // its entries are part of each checkpoint

	epoch       string
	start       event.Position
	cursor      event.Position              // end of the last committed window
	seq         uint64                      // of the lane's last checkpoint
	published   time.Time                   // when that was
	draft       draft                       // committed, not yet published
	unconfirmed *event.Checkpoint           // published, but the result is unknown
	intents     map[event.Position]struct{} // intents of an earlier process, without an outcome yet
	closed      bool                        // the next checkpoint is the last
}

// draft is what the lane has decided and not yet published.
type draft struct {
	tally
	plan    string
	rows    []event.Delivery
	gaps    []event.Gap
	records int
	moved   bool // the cursor did
	urgent  bool // has outcomes or parked events, or withdraws intents
	bytes   int  // of the rows, roughly
}

func (d *draft) add(row event.Delivery) {
	d.rows = append(d.rows, row)
	d.name(row.Source)
	d.name(row.Event)
	d.bytes += rowBytes(&row)
	d.urgent = true
}

// dirty reports whether there is anything to publish.
func (d *draft) dirty() bool { return d.urgent || d.moved || d.size > 0 || len(d.gaps) > 0 }

// full reports whether the draft must be published before it grows.
func (d *draft) full() bool {
	return d.size+d.bytes >= maxDraftBytes || len(d.rows) >= maxRows || d.records >= maxRecords
}

// rowBytes is an upper bound of a row's encoding, without its names: the tally
// counts these.
func rowBytes(r *event.Delivery) int { return 52 + len(r.EventID) + len(r.Reason) + len(r.Error) }

// publish makes the draft and the lane's state durable. It tries until it
// succeeds, another process turns out to own the lane, or ctx ends; then it
// returns an error and the draft stands.
func (o *outbox) publish(ctx context.Context, intents []event.Position) error {
	return o.persist(ctx, o.checkpoint(intents), false)
}

// persist publishes r until it is durable. ambiguous says that an attempt at it
// has been made whose result is unknown.
func (o *outbox) persist(ctx context.Context, r *event.Checkpoint, ambiguous bool) error {
	logged := ""
	for attempt := 1; ; attempt++ {
		seq, err := o.publishOnce(ctx, r, ambiguous)
		if err == nil {
			o.startDraft(r, seq)
			if logged != "" {
				o.log.Info("outcomes are published again")
			}
			return nil
		}
		o.metrics.publishErrors.Inc()
		if errors.Is(err, ErrFenced) {
			return fmt.Errorf("publish outcomes: %w", err)
		}
		ambiguous, o.unconfirmed = true, r
		if ctx.Err() != nil {
			return fmt.Errorf("publish outcomes: %w", err)
		}
		if logged != err.Error() {
			logged = err.Error()
			o.log.Error("cannot publish outcomes, will retry", "err", err)
			o.incidents.report("publish outcomes", err)
		}
		_ = retry.Sleep(ctx, min(maxPublishWait, 100*time.Millisecond<<min(attempt, 7)))
	}
}

// publishOnce makes one attempt. It may outlive ctx, within its own time limit,
// so that a shutdown does not leave the result unknown. After an attempt with an
// unknown result (ambiguous), ErrFenced may be due to our own checkpoint: then
// the last one is compared.
func (o *outbox) publishOnce(ctx context.Context, r *event.Checkpoint, ambiguous bool) (uint64, error) {
	limit := publishTimeout
	if ctx.Err() != nil {
		limit = flushTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	seq, err := o.outcomes.Publish(ctx, r, o.seq)
	if err == nil || !ambiguous || !errors.Is(err, ErrFenced) {
		return seq, err
	}
	last, at, ok, lastErr := o.outcomes.Last(ctx, o.name)
	if lastErr != nil {
		return 0, fmt.Errorf("read last checkpoint: %w", lastErr)
	}
	if ok && sameCheckpoint(&last, r) {
		return at, nil
	}
	return 0, err
}

func sameCheckpoint(a, b *event.Checkpoint) bool {
	x, _ := a.AppendBinary(nil) // the error is always nil
	y, _ := b.AppendBinary(nil)
	return bytes.Equal(x, y)
}

// checkpoint is the draft and the lane's complete state.
func (o *outbox) checkpoint(intents []event.Position) *event.Checkpoint {
	r := &event.Checkpoint{
		Tracker: o.name, Epoch: o.epoch, Plan: o.draft.plan, Release: o.release,
		Time: time.Now().UTC().Truncate(time.Microsecond), Start: o.start, Watermark: o.cursor, Removed: o.closed,
		Deliveries: o.draft.rows, Parked: o.parking.list(), Gaps: o.draft.gaps,
	}
	for h, n := range o.draft.filtered {
		h.Count = n
		r.Filtered = append(r.Filtered, h)
	}
	for k, n := range o.draft.leaks {
		k.Count = n
		r.Leaks = append(r.Leaks, k)
	}
	r.Intents = slices.AppendSeq(intents, maps.Keys(o.intents))
	slices.SortFunc(r.Intents, event.Position.Compare)
	fit(r)
	return r
}

// fit cuts the vendors' responses so that the checkpoint fits one message.
func fit(r *event.Checkpoint) {
	encoded, _ := r.AppendBinary(nil) // the error is always nil
	responses := 0
	for i := range r.Deliveries {
		responses += len(r.Deliveries[i].Error)
	}
	over := len(encoded) - maxCheckpointBytes
	if over <= 0 || responses == 0 {
		return
	}
	share := max(0, responses-over) / len(r.Deliveries)
	for i := range r.Deliveries {
		r.Deliveries[i].Error = event.Truncate(r.Deliveries[i].Error, share)
	}
}

// startDraft begins a new draft after a checkpoint became durable.
func (o *outbox) startDraft(r *event.Checkpoint, seq uint64) {
	o.seq, o.published = seq, time.Now()
	o.draft = draft{plan: o.draft.plan, urgent: len(r.Intents) > len(o.intents)}
	o.unconfirmed = nil
	o.view.published(r, seq)
}

// flush publishes what is decided when the lane stops. A checkpoint whose
// result is unknown comes first: its draft has not changed since.
func (o *outbox) flush(ctx context.Context) error {
	if o.unconfirmed != nil {
		if err := o.persist(ctx, o.unconfirmed, true); err != nil {
			return err
		}
	}
	if o.seq == 0 || !o.draft.dirty() {
		return nil
	}
	return o.publish(ctx, nil)
}

// add makes a decided window part of the draft.
func (o *outbox) add(w *window) {
	for _, it := range w.items {
		delete(o.intents, it.position)
		switch it.state {
		case decided:
			o.draft.add(it.row)
		case parked, counted:
			o.draft.urgent = true
		}
	}
	o.draft.merge(&w.tally)
	o.draft.gaps = append(o.draft.gaps, w.gaps...)
	o.draft.records += w.records
	if w.end != o.cursor {
		o.cursor = w.end
		o.draft.moved = true
	}
	o.decideIntents()
}

// due is when the draft is to be published unless a record comes first.
func (o *outbox) due(now time.Time) time.Time {
	switch {
	case o.draft.urgent:
		return now.Add(atHand)
	case o.draft.dirty():
		return o.published.Add(lazyPublish)
	default:
		return now.Add(maxIdle)
	}
}

// publishDue publishes a draft that must not grow, or has waited long enough.
func (o *outbox) publishDue(ctx context.Context) error {
	if o.draft.full() || o.draft.dirty() && time.Since(o.published) >= lazyPublish {
		return o.publish(ctx, nil)
	}
	return nil
}

// announce publishes the draft before items are sent, and with it, for a vendor
// without a dedup key, which ones.
func (o *outbox) announce(ctx context.Context, items []*item, dedup bool) error {
	if dedup && !o.draft.urgent {
		return nil
	}
	var intents []event.Position
	for _, it := range items {
		if !dedup {
			intents = append(intents, it.position)
		}
	}
	return o.publish(ctx, intents)
}

// begin sets the plan of the next window. A checkpoint is of one plan, so what
// another plan decided is published first.
func (o *outbox) begin(ctx context.Context, plan string) error {
	if o.draft.plan != plan && o.draft.dirty() {
		if err := o.publish(ctx, nil); err != nil {
			return err
		}
	}
	o.draft.plan = plan
	return nil
}

// decideIntents gives an outcome to the intents below the cursor: their
// records were not read again, because they left the journal.
func (o *outbox) decideIntents() {
	for p := range o.intents {
		if p.Before(o.cursor) {
			o.draft.add(event.Delivery{Position: p, Outcome: event.Uncertain, Reason: reasonStopped, Attempts: 1, Time: time.Now(), Day: day(time.Now())})
			delete(o.intents, p)
		}
	}
}
