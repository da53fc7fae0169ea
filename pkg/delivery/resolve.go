package delivery

import (
	"context"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// resolve decides a window: it sends what is to be sent and commits the
// result, or drops the window when the vendor takes nothing.
//
// A window that an outage cuts short is the delicate case. If no exchange has
// settled any of its events, it is dropped and read again when the breaker lets
// a probe through: nothing of it is lost, and the cursor has not moved. If some
// were settled, they must be recorded at once (a vendor without a dedup key must
// never get them again), and a watermark can only stand before or after the
// whole window; so the window is committed, and those of its events that still
// wait are parked without a budget, due as soon as the breaker closes. They are
// no more than one window.
func (l *Lane) resolve(ctx, work context.Context, w *window) error {
	if l.out.draft.plan != w.tracer.PlanVersion() && l.out.draft.dirty() {
		if err := l.out.publish(ctx, nil); err != nil {
			return err
		}
	}
	l.out.draft.plan = w.tracer.PlanVersion()
	isolating := l.sender.isolating()
	calls := l.sender.translate(l.sender.portions(w.pending()))
	if l.config.Mode == DryRun {
		for _, it := range w.pending() {
			it.decide(event.Filtered, reasonDryRun, time.Now())
		}
		calls = nil
	}
	if len(calls) > 0 {
		if err := l.announce(ctx, w); err != nil {
			return err
		}
		begun, n := time.Now(), len(w.pending())
		if isolating {
			l.sender.isolate(ctx, work, calls)
		} else {
			l.sender.send(ctx, work, calls)
		}
		l.sender.speed = float64(n) / max(time.Since(begun), time.Millisecond).Seconds()
	}
	return l.conclude(ctx, w)
}

// announce publishes what is decided so far before anything is sent, and with
// it, for a vendor without a dedup key, which events are about to be sent.
func (l *Lane) announce(ctx context.Context, w *window) error {
	if l.traits.Dedup {
		if l.out.draft.urgent {
			return l.out.publish(ctx, nil)
		}
		return nil
	}
	var intents []event.Position
	for _, it := range w.pending() {
		intents = append(intents, it.position)
	}
	return l.out.publish(ctx, intents)
}

// unsureSpan is about how long a window may take to send to a vendor without a
// dedup key: all of it is announced before, and uncertain if the process dies.
const unsureSpan = time.Second

// unsureLimit is how many events such a window has: as many as the vendor took in
// that time of the last one, and no fewer than it is sent at once. The first may
// fill one request.
func (s *sender) unsureLimit() int {
	if s.speed == 0 {
		return max(s.traits.Concurrency, s.traits.MaxBatch)
	}
	return max(s.traits.Concurrency, int(min(s.speed*unsureSpan.Seconds(), maxRows)))
}

// conclude commits or drops a window after it was sent.
func (l *Lane) conclude(ctx context.Context, w *window) error {
	pending, settled := 0, false
	for _, it := range w.items {
		if it.state == open {
			pending++
		}
		settled = settled || it.settled
	}
	if pending > 0 && !settled {
		l.drop(w)
		return nil
	}
	for _, it := range w.items {
		if it.state == open {
			it.state, it.due = parked, time.Time{}
		}
	}
	l.commit(w)
	if l.out.draft.full() || l.out.draft.dirty() && time.Since(l.out.published) >= lazyPublish {
		return l.out.publish(ctx, nil)
	}
	return nil
}

// drop forgets a window of which nothing was settled; only the number of
// attempts is kept, and when a parked event is due again.
func (l *Lane) drop(w *window) {
	clear(l.parking.tries)
	for _, it := range w.items {
		p, known := l.parking.entries[it.position]
		switch {
		case known:
			p.Attempts, p.failure = it.attempts, it.failure
			if it.state == parked {
				p.Due = it.due
			}
		case it.attempts > 0:
			l.parking.tries[it.position] = it.attempts
		}
	}
	l.in.close()
}

// commit makes a decided window part of what the next report says.
func (l *Lane) commit(w *window) {
	for _, it := range w.items {
		delete(l.parking.entries, it.position)
		delete(l.parking.tries, it.position)
		delete(l.out.carried, it.position)
		switch it.state {
		case decided:
			l.out.draft.add(it.row)
		case parked:
			l.parking.put(it)
			l.out.draft.urgent = true
		case counted:
			l.out.draft.urgent = true
		}
	}
	l.out.draft.merge(&w.tally)
	l.out.draft.gaps = append(l.out.draft.gaps, w.gaps...)
	l.out.draft.records += w.records
	if w.end != l.out.watermark {
		l.out.watermark = w.end
		l.out.draft.moved = true
	}
	l.out.settleCarried()
	l.show()
}

// settleCarried gives intents that the journal no longer holds their outcome.
func (o *outbox) settleCarried() {
	for p := range o.carried {
		if p.Before(o.watermark) {
			o.draft.add(event.Delivery{Position: p, Outcome: event.Uncertain, Reason: reasonStopped, Attempts: 1, Time: time.Now(), Day: day(time.Now())})
			delete(o.carried, p)
		}
	}
}
