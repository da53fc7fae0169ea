package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestParkingKeepsWhatWaits(t *testing.T) {
	p, now := newParking(time.Hour, maxParkedLimit), time.Now()
	late := &item{position: event.Position{Seq: 2}, state: parked, due: now.Add(time.Minute), since: now}
	soon := &item{position: event.Position{Seq: 3}, state: parked, due: now, since: now}
	p.update(late)
	p.update(soon)
	if list := p.list(); len(list) != 2 || list[0].Position.Seq != 2 {
		t.Errorf("entries %v, want both in the journal's order", list)
	}
	if due := p.dueBy(now); len(due) != 1 || due[0].Position.Seq != 3 {
		t.Errorf("due %v, want the second alone", due)
	}
	if p.overBudget(late, now.Add(time.Hour-1)) || !p.overBudget(late, now.Add(time.Hour)) {
		t.Error("the budget does not end after an hour")
	}

	soon.attempts, soon.due = 4, now.Add(time.Hour)
	fresh := &item{position: event.Position{Seq: 9}, attempts: 1}
	p.restore([]*item{soon, fresh}) // their window was dropped
	if entry := p.entries[soon.position]; entry.Attempts != 4 || !entry.Due.Equal(soon.due) || p.tries[fresh.position] != 1 {
		t.Errorf("entry %+v, tries %v", entry, p.tries)
	}
	soon.state = decided
	p.update(soon)
	if due, ok := p.nextDue(); !ok || !due.Equal(late.due) || len(p.entries) != 1 {
		t.Errorf("next due %v (%v) of %d entries, want the first alone", due, ok, len(p.entries))
	}
}

// lastOnly is an outcome log whose first publish is durable but fails.
type lastOnly struct {
	last  event.Checkpoint
	seq   uint64
	tries int
}

func (l *lastOnly) Last(context.Context, string) (event.Checkpoint, uint64, bool, error) {
	return l.last, l.seq, l.seq > 0, nil
}

func (l *lastOnly) Publish(_ context.Context, c *event.Checkpoint, after uint64) (uint64, error) {
	l.tries++
	if after != l.seq {
		return 0, ErrFenced
	}
	l.last, l.seq = *c, l.seq+1
	if l.tries == 1 {
		return 0, errors.New("the answer got lost")
	}
	return l.seq, nil
}

func newTestOutbox(log OutcomeLog) *outbox {
	metrics := newMetrics(nil, "test")
	return &outbox{
		name: "test", log: slog.New(slog.DiscardHandler), outcomes: log, metrics: metrics, view: newStatusView(Config{}, metrics),
		incidents: &incidents{reporter: noReporter{}}, parking: newParking(time.Hour, maxParkedLimit), intents: make(map[event.Position]struct{}),
	}
}

func TestOutboxRecognisesItsOwnCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lastOnly{}
		o := newTestOutbox(log)
		it := &item{position: event.Position{Seq: 1}}
		it.decide(event.Delivered, "", time.Now())
		o.intents[event.Position{Seq: 2}] = struct{}{}
		o.add(&window{items: []*item{it}, end: event.Position{Seq: 3}, records: 1})
		if len(o.draft.rows) != 2 || o.draft.rows[1].Outcome != event.Uncertain || len(o.intents) != 0 {
			t.Errorf("rows %+v, want the window's and the passed intent's", o.draft.rows)
		}
		if err := o.publish(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if log.tries != 2 || o.seq != 1 || o.unconfirmed != nil || o.draft.dirty() {
			t.Errorf("%d tries, sequence %d, draft %+v", log.tries, o.seq, o.draft)
		}
		log.seq = 7 // another process published
		if err := o.publish(t.Context(), nil); !errors.Is(err, ErrFenced) {
			t.Errorf("%v, want ErrFenced", err)
		}
	})
}

// The largest drafts, with the most that can be parked, fit one message.
func TestCheckpointFitsAMessage(t *testing.T) {
	o, now := newTestOutbox(&lastOnly{}), time.Now()
	for i := range maxParkedLimit {
		p := event.Position{Seq: 1<<40 + uint64(i), Index: 999}
		o.parking.entries[p] = &waiting{Parked: event.Parked{Position: p, Due: now, Since: now, Attempts: 200}}
	}
	for n := 0; !o.draft.full(); {
		w := &window{limit: maxRows, room: maxRows}
		for ; !w.full(); n++ {
			text := fmt.Sprintf("%08d", n)
			it := &item{
				position: event.Position{Seq: 1<<40 + uint64(n), Index: 999}, attempts: 200,
				recordInfo: recordInfo{eventID: strings.Repeat("i", 128), source: text + strings.Repeat("s", 56), eventName: text + strings.Repeat("n", 792), receivedAt: now},
			}
			it.decide(event.Rejected, strings.Repeat("r", maxReason), now)
			it.row.Error, it.row.Status, it.row.Latency = strings.Repeat("e", maxError), 500, time.Minute
			w.add(it, 0)
		}
		o.add(w)
	}
	c := o.checkpoint(nil)
	b, _ := c.AppendBinary(nil)
	if len(b) > maxCheckpointBytes || len(c.Deliveries[0].Error) < 100 {
		t.Errorf("%d bytes, %d of an answer", len(b), len(c.Deliveries[0].Error))
	}
}

// Parking is a result in the item: the sender keeps nothing of it.
func TestSenderParksOrRejectsByBudget(t *testing.T) {
	s, now := &sender{budget: time.Hour}, time.Now()
	it := &item{attempts: 1}
	if s.park(it, "busy", 0, now); it.state != parked || !it.due.After(now) || it.failure != "busy" {
		t.Errorf("item %+v, want it parked", it)
	}
	it = &item{attempts: 1, since: now.Add(-time.Hour)}
	if s.park(it, "busy", 0, now); it.state != decided || it.row.Outcome != event.Rejected || it.row.Reason != "retries exhausted: busy" {
		t.Errorf("item %+v, want it rejected", it)
	}
}
