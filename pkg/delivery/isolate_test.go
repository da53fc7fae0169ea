package delivery_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// crowd adds n events, in messages of three.
func (w *world) crowd(n int) {
	for range n / 3 {
		w.journal.add("buy", "buy", "buy")
	}
}

// An event on which the vendor fails each time is found, parked, and rejected
// when its budget ends; what comes before and after it is delivered.
func TestEventOnWhichTheVendorFails(t *testing.T) {
	for name, test := range map[string]struct {
		each int      // events a request
		bad  []string // ids on which the vendor fails
	}{
		"the first":          {4, []string{"e1-1-0"}},
		"alone in a request": {1, []string{"e1-1-1"}},
		"in the middle":      {4, []string{"e1-9-2"}},
		"in large requests":  {100, []string{"e1-2-0", "e1-15-1"}},
		"one after another":  {4, []string{"e1-1-0", "e1-1-1", "e1-1-2", "e1-2-0", "e1-2-1", "e1-2-2", "e1-3-0"}},
		"the last":           {4, []string{"e1-20-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *world) {
				w.config.RetryFor = 6 * time.Hour
				w.tracker.each, w.traits.MaxBatch = test.each, 100
				w.vendor.fails = func(id string) bool { return slices.Contains(test.bad, id) }
				w.crowd(60)
				w.run()
				wait(time.Hour)
				w.journal.add("buy") // somebody for the vendor to take while it fails on the last
				wait(time.Hour)
				sums := w.audit()
				counts(t, sums, map[event.Outcome]int{event.Delivered: 61 - len(test.bad), event.Pending: len(test.bad)})
				if st := w.lane.Status(); st.Breaker != delivery.Closed || st.Parked != len(test.bad) {
					t.Errorf("status: %+v", st)
				}
				w.vendor.failed = nil
				w.quit()
				w.run() // a restart forgets nothing
				w.crowd(30)
				wait(time.Minute)
				counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 91 - len(test.bad), event.Pending: len(test.bad)})
				wait(6 * time.Hour)
				w.quit()
				counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 91 - len(test.bad), event.Rejected: len(test.bad)})
				for _, ids := range w.vendor.failed {
					if len(ids) > 1 {
						t.Errorf("sent with others although the vendor fails on it: %v", ids)
					}
				}
				for p, row := range w.outcomeLog.rows() {
					if row.Outcome == event.Rejected && (row.Reason != "retries exhausted: http 500 Internal Server Error" || row.Attempts < 10 || row.Attempts > 300) {
						t.Errorf("%s: %+v", p, row)
					}
				}
			})
		})
	}
}

// A vendor that fails on everything is down: nothing is parked, nothing is
// rejected, and it is not flooded with probes.
func TestVendorThatFailsOnEverything(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		var down atomic.Bool
		down.Store(true)
		w.config.RetryFor = 2 * time.Hour
		w.tracker.each = 1
		w.vendor.fails = func(string) bool { return down.Load() }
		w.crowd(300)
		w.run()
		wait(10 * time.Hour)
		if st := w.lane.Status(); st.Parked != 0 || st.Breaker == delivery.Closed || !strings.HasPrefix(st.BreakerWhy, "http 500") {
			t.Errorf("status: %+v", st)
		}
		// A probe comes every two and a half minutes on average, with 32 events at most.
		if n := w.vendor.asked(); n > 32*10*60 {
			t.Errorf("%d requests in ten hours", n)
		}
		down.Store(false)
		wait(10 * time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 300})
	})
}

// An event on which the vendor fails, and nothing beside it: nobody can tell
// whether the vendor is down, so it waits. It is delivered when the vendor takes it.
func TestOnlyEventOnWhichTheVendorFails(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		var ill atomic.Bool
		ill.Store(true)
		w.vendor.fails = func(id string) bool { return id == "e1-1-0" && ill.Load() }
		w.journal.add("buy")
		w.run()
		wait(2 * time.Hour)
		if st := w.lane.Status(); st.Parked != 0 || st.Breaker == delivery.Closed {
			t.Errorf("status: %+v", st)
		}
		w.journal.add("buy", "buy")
		wait(10 * time.Minute)
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 2, event.Pending: 1})
		if st := w.lane.Status(); st.Parked != 1 || st.Breaker != delivery.Closed {
			t.Errorf("status: %+v", st)
		}
		ill.Store(false)
		wait(time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 3})
	})
}

// Many such events do not stop the lane: after the first, the others are found
// quickly. A vendor that then is down still parks nothing more.
func TestManyEventsOnWhichTheVendorFails(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		var down atomic.Bool
		w.config.RetryFor = 24 * time.Hour
		w.vendor.fails = func(id string) bool { return down.Load() || strings.HasSuffix(id, "0-1") }
		w.crowd(300) // every tenth message has one
		w.run()
		wait(time.Hour)
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 290, event.Pending: 10})
		down.Store(true)
		w.crowd(30)
		wait(30 * time.Minute)
		if n := w.lane.Status().Parked; n != 10 {
			t.Errorf("%d parked while the vendor is down, want the 10 of before", n)
		}
		down.Store(false)
		wait(time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 319, event.Pending: 11})
		if logs := w.logs.String(); !strings.Contains(logs, "sent alone from now on") {
			t.Error("the log does not mention it")
		}
		got := w.series()
		if n := got["sparrow_delivery_isolated_total,fake"]; n < 11 {
			t.Errorf("%v events counted, want 11: %v", n, fmt.Sprint(got))
		}
	})
}
