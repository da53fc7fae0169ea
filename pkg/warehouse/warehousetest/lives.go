package warehousetest

import (
	"fmt"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// checkLives: the sums of a tracker that was removed and put back go on. What came
// in between is not its own.
func checkLives(t testing.TB, h Harness) {
	for _, together := range []bool{true, false} {
		w := prepared(t, h)
		b := batch(t, event.Position{Seq: 11})
		b.Names = []warehouse.NameRow{{Day: day(), Source: "shop", Event: "buy"}}
		for seq := uint64(1); seq <= 10; seq++ {
			b.Raw = append(b.Raw, batch(t, event.Position{}, record(at(seq, 0), `{"event":"buy","deviceId":"d"}`)).Raw...)
		}
		b.Outcomes = warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: 3}}
		b.AddCheckpoint(1, life(1, 4, true, 1, 3))
		b.AddCheckpoint(2, life(1, 4, true))
		if !together {
			load(t, w, b)
			b = batch(t, event.Position{Seq: 11})
		}
		b.Outcomes = warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: 5}}
		b.AddCheckpoint(3, life(7, 7, false))
		b.AddCheckpoint(4, life(7, 9, false, 7))
		load(t, w, b)

		same(t, "the sums of both lives", ask(t, w, `select tracker, accepted, delivered, filtered, pending, unaccounted from reconciliation`),
			[][]any{{"heap", 7, 3, 1, 3, 0}})
		sameSums(t, w)
		same(t, "parked", ask(t, w, "select seq from parked"), [][]any{{8}})
		want := []warehouse.State{"delivered", "held", "delivered", "after end", "after end", "after end", "delivered", "parked", "pending", "pending"}
		for i, state := range want {
			found, err := warehouse.Find(t.Context(), w, fmt.Sprintf("id-e1-%d-0", i+1))
			if err != nil || len(found) != 1 || len(found[0].Lanes) != 1 {
				t.Fatalf("find event %d: %v, %v", i+1, found, err)
			}
			same(t, fmt.Sprintf("state of event %d", i+1), found[0].Lanes[0].State, state)
		}
	}
}

// life is a report of a lane that began at start and stands at mark: it delivers
// some messages, and says the first time that it held back event 2; event 8 is
// parked once it is past it.
func life(start, mark uint64, closed bool, delivers ...uint64) *event.Checkpoint {
	r := &event.Checkpoint{Tracker: "heap", Epoch: epoch, Time: day(), Start: event.Position{Seq: start}, Watermark: event.Position{Seq: mark}, Removed: closed && len(delivers) == 0}
	for _, seq := range delivers {
		r.Deliveries = append(r.Deliveries, event.Delivery{Position: event.Position{Seq: seq}, Outcome: event.Delivered, Time: day(), Day: day()})
	}
	if len(delivers) > 1 {
		r.Filtered = []event.FilteredCount{{Day: day(), Source: "shop", Event: "buy", Reason: "event not in plan", Count: 1}}
	}
	if mark > 8 {
		r.Parked = []event.Parked{{Position: event.Position{Seq: 8}, Due: day(), Since: day(), Attempts: 1}}
	}
	return r
}
