package delivery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestGapIsReported(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		for range 5 {
			w.journal.add("buy")
		}
		w.journal.gone[3] = true
		w.config.From = delivery.FromStart
		w.run()
		wait(2 * time.Second)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			w.journal.add("buy")
		}
		w.journal.trim(9)
		w.run()
		wait(2 * time.Second)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		var gaps []event.Gap
		for _, r := range w.outcomeLog.checkpoints() {
			gaps = append(gaps, r.Gaps...)
		}
		want := []event.Gap{{From: event.Position{Seq: 3}, To: event.Position{Seq: 4}}, {From: event.Position{Seq: 6}, To: event.Position{Seq: 9}}}
		if fmt.Sprint(gaps) != fmt.Sprint(want) {
			t.Errorf("gaps %v, want %v", gaps, want)
		}
		if got := w.outcomeLog.last().Watermark; got != (event.Position{Seq: 11}) {
			t.Errorf("watermark %s, want 11-0", got)
		}
		if c := w.incidents.classes(); len(c) != 1 || c[0] != "journal gap" {
			t.Errorf("incidents %v", c)
		}
	})
}

func TestFencedLaneEnds(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.journal.add("buy")
		w.run()
		wait(time.Second)
		first := w.stop
		w.outcomeLog = w.outcomeLog.clone()
		w.run() // another process takes over
		w.journal.add("buy")
		wait(time.Minute)
		if err := first(); !errors.Is(err, delivery.ErrFenced) || !strings.Contains(err.Error(), "another process runs this lane") {
			t.Errorf("the fenced lane's error: %v", err)
		}
		if err := w.stop(); err != nil {
			t.Errorf("the lane that took over: %v", err)
		}
	})
}

func TestAnotherJournal(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"epoch": func(w *world) { w.journal = newJournal(); w.journal.epoch = "e2"; w.journal.add("buy", "buy") },
		"end":   func(w *world) { w.journal = newJournal(); w.journal.epoch = "e2" },
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *world) {
				w.vendor.say = func(id string) string { return map[string]string{"e1-1-1": "park"}[id] }
				w.journal.add("buy", "buy")
				w.journal.add("buy")
				w.run()
				wait(500 * time.Millisecond)
				if err := w.stop(); err != nil {
					t.Fatal(err)
				}
				change(w)
				w.run()
				wait(2 * time.Second)
				if err := w.stop(); err != nil {
					t.Fatal(err)
				}
				last := w.outcomeLog.last()
				if last.Epoch != "e2" || last.Start != (event.Position{Seq: 1}) || len(last.Parked) != 0 {
					t.Errorf("last checkpoint: %+v", last)
				}
				if got := strings.Join(w.incidents.classes(), ","); got != "journal epoch" {
					t.Errorf("incidents: %s", got)
				}
				expired := 0
				for _, r := range w.outcomeLog.checkpoints() {
					for _, d := range r.Deliveries {
						if d.Outcome == event.Expired && r.Epoch == "e1" {
							expired++
						}
					}
				}
				if expired != 1 {
					t.Errorf("%d parked events of the old journal expired, want 1", expired)
				}
			})
		})
	}
}

func TestRemove(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		if err := delivery.Remove(t.Context(), "fake", w.deps()); !errors.Is(err, delivery.ErrNoLane) {
			t.Errorf("removing what never ran: %v", err)
		}
		w.vendor.say = func(id string) string { return map[string]string{"e1-1-0": "park"}[id] }
		w.journal.add("buy", "buy")
		w.run()
		wait(300 * time.Millisecond)
		w.quit()
		for range 300 {
			w.journal.add("buy", "buy", "buy", "buy", "buy", "buy", "buy", "unplanned", "duplicate", "malformed")
		}
		for range 2 { // the second call finds it done
			if err := delivery.Remove(t.Context(), "fake", w.deps()); err != nil {
				t.Fatal(err)
			}
		}
		last := w.outcomeLog.last()
		if !last.Removed || len(last.Parked) != 0 || delivery.EarliestNeeded(&last) != (event.Position{}) {
			t.Errorf("last checkpoint: %+v", last)
		}
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 1, event.Expired: 2101, event.Rejected: 300, event.Filtered: 300})
		if r := w.outcomeLog.rows()[event.Position{Seq: 1}].Reason; r != "tracker removed" {
			t.Errorf("reason %q", r)
		}
		w.journal.add("buy", "buy") // nobody's
		w.run()                     // it comes back: from now, whatever it is configured to
		wait(time.Second)
		w.journal.add("buy")
		wait(time.Second)
		w.quit()
		if n := len(w.vendor.taken()); n != 2 {
			t.Errorf("%d events taken, want 2", n)
		}
	})
}

func TestStartAt(t *testing.T) {
	for from, want := range map[string]int{delivery.FromNow: 1, delivery.FromStart: 4, "2000-01-01T00:00:30Z": 3} {
		t.Run(from, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the bubble's clock begins at 2000-01-01T00:00:00Z
				w := newWorld(t, true)
				w.config.From = from
				w.journal.add("buy")
				wait(time.Minute)
				w.journal.add("buy", "buy")
				w.run()
				wait(time.Second)
				w.journal.add("buy")
				wait(time.Second)
				w.quit()
				if got := len(w.vendor.taken()); got != want {
					t.Errorf("%d events taken, want %d", got, want)
				}
			})
		})
	}
}

func TestReloadSplitsCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.run()
		wait(5 * time.Second)
		for n := range 5 {
			w.plan.Store(&tracer{version: fmt.Sprintf("plan-%d", n)})
			w.journal.add(fmt.Sprintf("unplanned by plan-%d", n))
			wait(250 * time.Millisecond)
		}
		wait(2 * time.Second)
		w.quit()
		for _, r := range w.outcomeLog.checkpoints() {
			for _, h := range r.Filtered {
				// A window is open for 100 ms at most, so each of the events is in one of its own.
				if h.Event != "unplanned by "+r.Plan {
					t.Errorf("%q is counted in a checkpoint of %s", h.Event, r.Plan)
				}
			}
		}
	})
}

func TestReloadTakesEffectBetweenWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.journal.add("buy")
		w.run()
		wait(time.Second)
		w.plan.Store(&tracer{version: "plan-2"})
		wait(10 * time.Second)
		w.journal.add("buy")
		wait(time.Second)
		w.quit()
		for _, r := range w.outcomeLog.checkpoints() {
			for _, d := range r.Deliveries {
				if want := fmt.Sprintf("plan-%d", d.Position.Seq); r.Plan != want {
					t.Errorf("%s was decided by %s, the checkpoint says %s", d.Position, want, r.Plan)
				}
			}
		}
	})
}

func TestAnchorMakesNowMeanThen(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.From = delivery.FromNow
		w.journal.add("buy") // before the tracker was there
		lane, err := delivery.New(w.config, w.tracker, w.traits, w.deps())
		if err != nil {
			t.Fatal(err)
		}
		if err := lane.Anchor(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.journal.add("buy", "buy") // accepted before the lane runs
		w.run()
		wait(2 * time.Second)
		w.quit()
		if got := w.outcomeLog.last().Start; got != (event.Position{Seq: 2}) {
			t.Errorf("the lane begins at %s, want 2-0, where it was anchored", got)
		}
		published := len(w.outcomeLog.checkpoints())
		if err := lane.Anchor(t.Context()); err != nil || len(w.outcomeLog.checkpoints()) != published {
			t.Errorf("anchoring a lane that has run: %v, %d new checkpoints; want nothing to happen", err, len(w.outcomeLog.checkpoints())-published)
		}
	})
}
