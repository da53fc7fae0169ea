package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/retry"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	atHand      = 5 * time.Millisecond // how long to wait for what should be there already
	maxIdle     = 5 * time.Second      // how long to wait for anything at all
	lazyPublish = time.Second          // how long counts and a moved watermark may go unpublished
	rateWindow  = 2                    // seconds of the rate limit that one window may use
)

// openWindow begins a window at the watermark. At most limit of its events are to
// be sent, and at most room of them may have to be parked.
func (l *Lane) beginWindow(ctx context.Context, limit, room int) (*window, error) {
	gap, err := l.in.seek(ctx, l.out.cursor)
	if err != nil {
		return nil, err
	}
	w := &window{tracer: l.deps.Tracer(), end: l.in.from, limit: limit, room: room}
	l.addGap(w, gap)
	return w, nil
}

// addGap records a range of the journal that cannot be read, unless it is empty.
func (l *Lane) addGap(w *window, gap event.Gap) {
	if gap == (event.Gap{}) {
		return
	}
	w.gaps = append(w.gaps, gap)
	if w.began.IsZero() {
		w.began = time.Now()
	}
	err := fmt.Errorf("events from %s up to %s are missing or damaged in the journal and were not sent", gap.From, gap.To)
	l.log.Error("events left the journal before they could be sent", "from", gap.From.String(), "to", gap.To.String())
	l.incidents.report("journal gap", err)
}

// collect reads a window: until it is full, or Traits.Linger has passed since its
// first record, or maxIdle passed without any, or ctx ends. While the journal has
// nothing at hand it publishes what earlier windows decided.
func (l *Lane) collect(ctx context.Context) (*window, error) {
	w, err := l.beginWindow(ctx, l.sender.windowLimit(), l.parking.room())
	if err != nil {
		return nil, err
	}
	idle := time.Now().Add(maxIdle)
	for ctx.Err() == nil {
		if w.empty() { // nothing is decided yet, so a reload may still take effect
			w.tracer = l.deps.Tracer()
			if err := l.addDue(ctx, w); err != nil {
				return nil, err
			}
		}
		now := time.Now()
		until := l.waitUntil(w, now, idle)
		if w.full() && (w.toSend > 0 || w.room > 0) || !until.After(now) {
			return w, nil
		}
		if err := l.readOrPublish(ctx, w, until, now); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// readOrPublish reads a message into the window, or publishes the draft when that
// is due before a message is at hand. It waits no longer than until.
func (l *Lane) readOrPublish(ctx context.Context, w *window, until, now time.Time) (err error) {
	due := l.out.due(now)
	wait, ok := earlier(until, due), false
	if w.full() { // too much is parked: only the parked events can go on
		_ = retry.Sleep(ctx, wait.Sub(now))
	} else {
		ok, err = l.readMessage(ctx, w, wait, func(*event.Record) bool {
			if w.records == 0 && len(w.items) == 0 {
				w.tracer = l.deps.Tracer() // a reload may have come while it waited
			}
			return true
		})
	}
	if err == nil && !ok && l.out.draft.dirty() && !time.Now().Before(due) {
		return l.out.publish(ctx, nil)
	}
	return err
}

// waitUntil is until when the window may wait for more records, and an empty one
// for its first: a record or a parked event that gets due.
func (l *Lane) waitUntil(w *window, now, idle time.Time) time.Time {
	until := idle
	if !w.began.IsZero() {
		until = w.began.Add(max(l.traits.Linger, atHand))
		if w.toSend >= l.traits.MaxBatch { // enough for a request: add only what is at hand
			until = earlier(until, now.Add(atHand))
		}
	}
	if due, ok := l.parking.nextDue(); ok && due.After(now) && w.empty() {
		until = earlier(until, due)
	}
	return until
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// readMessage adds the records of the next message that are wanted and fit into
// the window. It waits for one until deadline. ok is false when none came, or a
// record is not wanted: that one is next in the feed.
func (l *Lane) readMessage(ctx context.Context, w *window, deadline time.Time, wanted func(*event.Record) bool) (ok bool, err error) {
	ok, gap, err := l.in.fill(ctx, deadline)
	if err != nil {
		return false, err
	}
	l.addGap(w, gap)
	for rec := l.in.peek(); ok && rec != nil && !w.full(); rec = l.in.peek() {
		if ok = wanted(rec); ok {
			l.addRecord(w, l.in.pop())
		}
	}
	w.end = l.in.from
	return ok, nil
}

// addRecord puts a record into the window.
func (l *Lane) addRecord(w *window, rec *event.Record) {
	now := time.Now()
	w.records++
	if w.began.IsZero() {
		w.began = now
	}
	if w.records == 1 {
		l.view.oldestRecord(rec.ReceivedAt)
	}
	if rec.Duplicate {
		return
	}
	it := &item{position: rec.Receipt.Position, attempts: l.parking.tries[rec.Receipt.Position]}
	if _, sent := l.out.intents[it.position]; sent {
		it.recordInfo = infoOf(rec)
		it.attempts = max(it.attempts, 1)
		it.decide(event.Uncertain, reasonStopped, now)
	} else {
		l.applyPlan(w, it, rec, now)
	}
	if it.state != counted {
		w.add(it, len(rec.Data))
	}
}

// applyPlan applies the plan to a record and decides whether it may be sent.
func (l *Lane) applyPlan(w *window, it *item, rec *event.Record, now time.Time) {
	decision := w.tracer.Trace(rec, l.config.Name, &it.event)
	if !it.retry { // a retry's findings were counted when it was first read
		for _, f := range decision.Findings {
			w.tally.leak(event.Leak{Day: day(rec.ReceivedAt), Source: rec.Source, Event: decision.Name, Property: f.Property, Kind: f.Kind}, 1)
		}
	}
	if decision.Outcome == event.Filtered {
		w.tally.filter(event.FilteredCount{Day: day(rec.ReceivedAt), Source: rec.Source, Event: decision.Name, Reason: event.Truncate(decision.Reason, maxReason)}, 1)
		it.state = counted
		return
	}
	it.recordInfo = infoOf(rec)
	if decision.Outcome != event.Pending {
		it.decide(event.Rejected, decision.Reason, now)
		return
	}
	if l.expireItem(it, now); it.state != pending {
		return
	}
	if reason := TooOld(l.traits, &it.event, now); reason != "" {
		it.decide(event.Rejected, reason, now)
		return
	}
	l.sender.limitIdentity(it, now)
}

// expireItem expires an event that waited too long.
func (l *Lane) expireItem(it *item, now time.Time) {
	switch {
	case l.closing:
		it.decide(event.Expired, reasonRemoved, now)
	case l.config.MaxAge > 0 && now.Sub(it.receivedAt) > l.config.MaxAge:
		it.decide(event.Expired, reasonTooOld, now)
	}
}

// TooOld is why a vendor no longer accepts an event at a time, for which the event is
// rejected; "" if it does.
func TooOld(traits tracker.Traits, e *event.Event, now time.Time) string {
	happened := e.Time
	if happened.IsZero() {
		happened = e.ReceivedAt
	}
	if traits.MaxEventAge == 0 || now.Sub(happened) <= traits.MaxEventAge {
		return ""
	}
	return fmt.Sprintf("older than the vendor takes (%s)", brief(traits.MaxEventAge))
}

// brief writes whole hours as "72h".
func brief(d time.Duration) string {
	if d > 0 && d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
