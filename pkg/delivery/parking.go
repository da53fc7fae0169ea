package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// The reasons that a lane itself gives.
const (
	reasonLeft      = "left the journal before it could be sent"
	reasonTooOld    = "not sent within journal.maxAge"
	reasonExhausted = "retries exhausted"
	reasonStopped   = "stopped while sending"
	reasonRemoved   = "tracker removed"
	reasonDryRun    = "dry-run"
)

// parking holds the events that wait for an attempt of their own. Their entries
// are part of each checkpoint.
type parking struct {
	budget  time.Duration // how long an event is tried again
	limit   int           // of entries
	entries map[event.Position]*waiting
	tries   map[event.Position]int // attempts of unparked events whose window was dropped
}

func newParking(budget time.Duration, limit int) *parking {
	return &parking{budget: budget, limit: limit, entries: make(map[event.Position]*waiting), tries: make(map[event.Position]int)}
}

// room is how many more events can be parked. A smaller limit than that of an
// earlier run leaves none.
func (p *parking) room() int { return max(0, p.limit-len(p.entries)) }

// waiting is a parked event and what the lane remembers of it.
type waiting struct {
	event.Parked
	recordInfo
	failure string // of the last attempt, in this process
	alone   bool   // see item
}

func (w *waiting) item() *item {
	return &item{
		position: w.Position, recordInfo: w.recordInfo,
		attempts: w.Attempts, since: w.Since, retry: true, failure: w.failure,
		alone: w.alone,
	}
}

// list is all that is parked, in the journal's order.
func (p *parking) list() []event.Parked {
	if len(p.entries) == 0 {
		return nil
	}
	list := make([]event.Parked, 0, len(p.entries))
	for _, w := range p.entries {
		list = append(list, w.Parked)
	}
	slices.SortFunc(list, func(a, b event.Parked) int { return a.Position.Compare(b.Position) })
	return list
}

// dueBy is what is parked and due, the longest waiting first.
func (p *parking) dueBy(now time.Time) []*waiting {
	var list []*waiting
	for _, w := range p.entries {
		if !w.Due.After(now) {
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(a, b *waiting) int {
		return cmp.Or(a.Due.Compare(b.Due), a.Position.Compare(b.Position))
	})
	return list
}

// nextDue is when the next parked event is due.
func (p *parking) nextDue() (due time.Time, ok bool) {
	for _, w := range p.entries {
		if !ok || w.Due.Before(due) {
			due, ok = w.Due, true
		}
	}
	return due, ok
}

// addDue puts parked events that are due into the window. Retries take at most
// half of it while the lane can read on, so that they never stop fresh events.
func (l *Lane) addDue(ctx context.Context, w *window) error {
	now := time.Now()
	bound := w.limit
	if w.room > 0 {
		bound = max(1, w.limit/2)
	}
	for _, p := range l.parking.dueBy(now) {
		if w.toSend >= bound || w.checkpointFull() {
			return nil
		}
		if slices.ContainsFunc(w.items, func(it *item) bool { return it.position == p.Position }) {
			continue
		}
		it, size, err := l.readParked(ctx, w, p, now)
		if err != nil {
			return err
		}
		w.add(it, size)
		if w.began.IsZero() {
			w.began = now
		}
	}
	return nil
}

// readParked reads a parked event again and decides whether it may still be sent.
func (l *Lane) readParked(ctx context.Context, w *window, p *waiting, now time.Time) (*item, int, error) {
	it := p.item()
	rec, err := l.deps.Source.Get(ctx, p.Position)
	if errors.Is(err, ErrGone) {
		it.decide(event.Expired, reasonLeft, now)
		return it, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read parked event: %w", err)
	}
	if l.parking.overBudget(it, now) {
		it.decide(event.Rejected, exhausted(it.failure), now)
		return it, 0, nil
	}
	l.applyPlan(w, it, &rec, now)
	return it, len(rec.Data), nil
}

func (p *parking) overBudget(it *item, now time.Time) bool {
	return !it.since.IsZero() && now.Sub(it.since) >= p.budget
}

func exhausted(failure string) string {
	if failure == "" {
		return reasonExhausted
	}
	return reasonExhausted + ": " + failure
}

// update records an item's result: it waits here, or waits no more.
func (p *parking) update(it *item) {
	delete(p.entries, it.position)
	delete(p.tries, it.position)
	if it.state == parked {
		p.entries[it.position] = &waiting{
			Parked:     event.Parked{Position: it.position, Due: it.due, Since: it.since, Attempts: it.attempts},
			recordInfo: it.recordInfo, failure: it.failure, alone: it.alone,
		}
	}
}

// restore handles the items of a dropped window. It keeps only their attempts, and
// when a parked event is due again.
func (p *parking) restore(items []*item) {
	clear(p.tries)
	for _, it := range items {
		entry, retried := p.entries[it.position]
		switch {
		case retried:
			entry.Attempts, entry.failure = it.attempts, it.failure
			if it.state == parked {
				entry.Due = it.due
			}
		case it.attempts > 0:
			p.tries[it.position] = it.attempts
		}
	}
}
