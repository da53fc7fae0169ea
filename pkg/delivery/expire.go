package delivery

import (
	"context"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	expiryInterval = time.Minute      // how often a waiting lane looks for what got too old
	stateInterval  = 30 * time.Second // how often a waiting lane publishes its state again
)

// waitOpen waits while the vendor accepts nothing. What gets too old meanwhile
// is expired, in checkpoints of bounded size, so that the journal can be
// trimmed; everything else stays where it is. Every 30 seconds the lane's state
// is published again, so that the outcomes stream, which is kept from each
// lane's last checkpoint on, can be trimmed while other lanes go on.
func (l *Lane) waitOpen(ctx context.Context) error {
	for l.sender.breaker.state(time.Now()) == Open && ctx.Err() == nil {
		if err := l.measure(ctx); err != nil {
			return err
		}
		next, err := l.expire(ctx)
		if err != nil {
			return err
		}
		if l.out.draft.dirty() || time.Since(l.out.published) >= stateInterval {
			if err := l.out.publish(ctx, nil); err != nil {
				return err
			}
		}
		l.view.update(l.out.epoch, l.out.start, l.out.watermark, len(l.parking.entries), l.sender.breaker)
		until := earlier(l.sender.breaker.due, l.out.published.Add(stateInterval))
		_ = retry.Sleep(ctx, time.Until(earlier(until, next)))
	}
	return nil
}

// expire decides about everything at the head of the lane's backlog, and
// everything parked, that is too old to wait on. It returns when to look again.
func (l *Lane) expire(ctx context.Context) (next time.Time, err error) {
	next = time.Now().Add(expiryInterval)
	if err := l.expireParked(ctx); err != nil || l.config.MaxAge == 0 {
		return next, err
	}
	for ctx.Err() == nil {
		w, more, err := l.expireHead(ctx)
		if err != nil {
			return next, err
		}
		if !w.empty() {
			if err := l.commitAndPublish(ctx, w); err != nil {
				return next, err
			}
		}
		if !more {
			break
		}
	}
	if rec := l.in.peek(); rec != nil {
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

// expireHead reads a window of records that are older than the journal keeps
// them. more is false when it met a younger one, or the journal's end.
func (l *Lane) expireHead(ctx context.Context) (w *window, more bool, err error) {
	w, err = l.openWindow(ctx)
	if err != nil {
		return nil, false, err
	}
	w.limit, w.room = maxRows, maxRows
	for !w.full() {
		ok, err := l.fill(ctx, w, time.Now().Add(atHand))
		if err != nil || !ok {
			return w, false, err
		}
		for rec := l.in.peek(); rec != nil && !w.full(); rec = l.in.peek() {
			if time.Since(rec.ReceivedAt) <= l.config.MaxAge {
				l.view.oldestRecord(rec.ReceivedAt)
				w.end = l.in.from
				return w, false, nil
			}
			l.addRecord(w, l.in.pop())
		}
		w.end = l.in.from
	}
	return w, true, nil
}

// expireParked ends the wait of parked events that are too old for the journal
// or over their budget.
func (l *Lane) expireParked(ctx context.Context) error {
	now := time.Now()
	w := &window{tracer: l.deps.Tracer(), end: l.out.watermark}
	for _, p := range l.parking.entries {
		it := p.item()
		switch {
		case l.config.MaxAge > 0 && now.Sub(p.receivedAt) > l.config.MaxAge:
			it.decide(event.Expired, reasonLeft, now)
		case l.parking.overBudget(it, now):
			it.decide(event.Rejected, exhausted(it.failure), now)
		default:
			continue
		}
		if w.add(it, 0); len(w.items) >= maxRows || w.tally.size >= maxTallyBytes {
			break
		}
	}
	if w.empty() {
		return nil
	}
	return l.commitAndPublish(ctx, w)
}
