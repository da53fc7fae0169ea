package delivery

import (
	"context"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	expiryTurn = time.Minute      // how often a waiting lane looks for what got too old
	checkpoint = 30 * time.Second // how often a waiting lane says again where it stands
)

// waitOpen passes the time while the vendor takes nothing. What gets too old
// meanwhile is expired, in reports of bounded size, so that the journal can be
// trimmed; everything else stays where it is. Every 30 seconds the lane's state
// is published again, so that the outcomes stream, which is kept from each
// lane's last report on, can be trimmed while other lanes go on.
func (l *Lane) waitOpen(ctx context.Context) error {
	for l.breaker.state(time.Now()) == Open && ctx.Err() == nil {
		if err := l.measure(ctx); err != nil {
			return err
		}
		next, err := l.expire(ctx)
		if err != nil {
			return err
		}
		if l.draft.dirty() || time.Since(l.published) >= checkpoint {
			if err := l.publish(ctx, nil); err != nil {
				return err
			}
		}
		l.board.update(l)
		until := earlier(l.breaker.due, l.published.Add(checkpoint))
		sleep(ctx, time.Until(earlier(until, next)))
	}
	return nil
}

// expire decides about everything at the head of the lane's backlog, and
// everything parked, that is too old to wait on. It returns when to look again.
func (l *Lane) expire(ctx context.Context) (next time.Time, err error) {
	next = time.Now().Add(expiryTurn)
	if err := l.expireParked(ctx); err != nil || l.config.MaxAge == 0 {
		return next, err
	}
	for ctx.Err() == nil {
		w, more, err := l.expireHead(ctx)
		if err != nil {
			return next, err
		}
		if !w.empty() {
			if err := l.store(ctx, w); err != nil {
				return next, err
			}
		}
		if !more {
			break
		}
	}
	if len(l.in.rest) > 0 {
		next = earlier(next, l.in.rest[0].ReceivedAt.Add(l.config.MaxAge+time.Millisecond))
	}
	return next, nil
}

// store commits a window in which nothing is left to be sent, and publishes it.
func (l *Lane) store(ctx context.Context, w *window) error {
	if l.draft.dirty() && l.draft.plan != w.tracer.PlanVersion() {
		if err := l.publish(ctx, nil); err != nil {
			return err
		}
	}
	l.draft.plan = w.tracer.PlanVersion()
	l.commit(w)
	return l.publish(ctx, nil)
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
		ok, gap, err := l.in.fill(ctx, time.Now().Add(atHand))
		if err != nil {
			return nil, false, err
		}
		if gap != (event.Gap{}) {
			l.lose(w, gap)
		}
		if !ok {
			w.end = l.in.from
			return w, false, nil
		}
		for len(l.in.rest) > 0 && !w.full() {
			if time.Since(l.in.rest[0].ReceivedAt) <= l.config.MaxAge {
				l.board.oldestRecord(l.in.rest[0].ReceivedAt)
				w.end = l.in.from
				return w, false, nil
			}
			l.takeRecord(w, l.in.take())
		}
		w.end = l.in.from
	}
	return w, true, nil
}

// expireParked ends the wait of parked events that are too old for the journal
// or over their budget.
func (l *Lane) expireParked(ctx context.Context) error {
	now := time.Now()
	w := &window{tracer: l.deps.Tracer(), end: l.watermark}
	for _, p := range l.parked {
		it := p.item()
		switch {
		case l.config.MaxAge > 0 && now.Sub(p.receivedAt) > l.config.MaxAge:
			it.decide(event.Expired, reasonLeft, now)
		case l.overBudget(it, now):
			it.decide(event.Rejected, exhausted(it.failure), now)
		default:
			continue
		}
		if w.add(it, 0); len(w.items) >= maxRows {
			break
		}
	}
	if w.empty() {
		return nil
	}
	return l.store(ctx, w)
}
