package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// resolve decides a window: it sends what is to be sent and commits the
// result, or drops the window when the vendor accepts nothing.
func (l *Lane) resolve(ctx, work context.Context, w *window) error {
	if err := l.out.begin(ctx, w.tracer.PlanVersion()); err != nil {
		return err
	}
	isolating := l.sender.isolating()
	calls := l.sender.translate(l.sender.portions(w.pending()))
	if l.config.Mode == DryRun {
		for _, it := range w.pending() {
			it.decide(event.Filtered, reasonDryRun, time.Now())
		}
	} else if len(calls) > 0 {
		if err := l.out.announce(ctx, w.pending(), l.traits.Dedup); err != nil {
			return err
		}
		l.sender.sendWindow(ctx, work, calls, len(w.pending()), isolating)
	}
	return l.conclude(ctx, w)
}

// conclude commits a window after it was sent, or drops it.
//
// An outage can cut a window short. If the vendor has decided about none of its events,
// it is dropped and read again when the breaker lets a probe through: the cursor
// has not moved. If it has decided about some, these must be recorded at once, because a
// vendor without a dedup key must never get them again. A watermark can only stand
// before or after a whole window, so the window is committed, and those of its
// events that still wait are parked without a budget, due as soon as the breaker
// closes.
func (l *Lane) conclude(ctx context.Context, w *window) error {
	pending := w.pending()
	answered := slices.ContainsFunc(w.items, func(it *item) bool { return it.answered })
	if len(pending) > 0 && !answered {
		l.parking.restore(w.items)
		l.in.close()
		return nil
	}
	for _, it := range pending {
		it.state, it.due = parked, time.Time{}
	}
	l.commit(w)
	return l.out.publishDue(ctx)
}

// commit makes a decided window part of what the next checkpoint says.
func (l *Lane) commit(w *window) {
	for _, it := range w.items {
		l.parking.update(it)
	}
	l.out.add(w)
	oldest := time.Time{}
	if next := l.in.peek(); next != nil {
		oldest = next.ReceivedAt
	}
	l.view.oldestRecord(oldest)
	l.show()
}
