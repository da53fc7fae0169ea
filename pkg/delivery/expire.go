package delivery

import (
	"context"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// expiryInterval is how often a waiting lane looks for what got too old.
const expiryInterval = time.Minute

// expire decides about everything at the head of the lane's backlog, and
// everything parked, that is too old to wait on. It returns when to look again.
func (l *Lane) expire(ctx context.Context) (next time.Time, err error) {
	next = time.Now().Add(expiryInterval)
	if err := l.expireParked(ctx); err != nil || l.config.MaxAge == 0 {
		return next, err
	}
	tooOld := func(rec *event.Record) bool { return time.Since(rec.ReceivedAt) > l.config.MaxAge }
	for more := true; more && ctx.Err() == nil; {
		w, err := l.beginWindow(ctx, maxRows, maxRows)
		for err == nil && more && !w.full() {
			more, err = l.readMessage(ctx, w, time.Now().Add(atHand), tooOld)
		}
		if err == nil && !w.empty() {
			err = l.commitAndPublish(ctx, w)
		}
		if err != nil {
			return next, err
		}
	}
	if rec := l.in.peek(); rec != nil {
		l.view.oldestRecord(rec.ReceivedAt)
		next = earlier(next, rec.ReceivedAt.Add(l.config.MaxAge+time.Millisecond))
	}
	return next, nil
}

// commitAndPublish commits a window in which nothing is left to be sent, and publishes it.
func (l *Lane) commitAndPublish(ctx context.Context, w *window) error {
	if err := l.out.begin(ctx, w.tracer.PlanVersion()); err != nil {
		return err
	}
	l.commit(w)
	return l.out.publish(ctx, nil)
}

// expireParked ends the wait of parked events that are too old for the journal
// or over their budget.
func (l *Lane) expireParked(ctx context.Context) error {
	for {
		now := time.Now()
		w := &window{tracer: l.deps.Tracer(), end: l.out.cursor, limit: maxRows, room: maxRows}
		for _, p := range l.parking.entries {
			it := p.item()
			l.expireItem(it, now)
			if it.state == pending && l.parking.overBudget(it, now) {
				it.decide(event.Rejected, exhausted(it.failure), now)
			}
			if it.state != pending && !w.full() {
				w.add(it, 0)
			}
		}
		if w.empty() {
			return nil
		}
		if err := l.commitAndPublish(ctx, w); err != nil {
			return err
		}
	}
}
