package delivery_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestOutageParksNothingAndCatchesUp(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		var down atomic.Bool
		down.Store(true)
		w.transport = &wireless{handler: w.vendor, refuse: down.Load}
		for range 20 {
			w.journal.add("buy", "buy", "unplanned")
		}
		w.run()
		wait(10 * time.Minute)
		st := w.lane.Status()
		if st.Breaker == delivery.Closed || st.Parked != 0 || st.BreakerWhy != "no connection" || st.Lag < 9*time.Minute || st.Backlog != 20 {
			t.Errorf("status in the outage: %+v", st)
		}
		if last := w.outcomeLog.last(); len(last.Intents) != 0 || last.Watermark != (event.Position{Seq: 1}) {
			t.Errorf("checkpoint in the outage: %+v", last)
		}
		if age := time.Since(w.outcomeLog.last().Time); age > time.Minute {
			t.Errorf("last checkpoint is %s old: it keeps the outcomes stream from being trimmed", age)
		}
		down.Store(false)
		wait(6 * time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 40, event.Filtered: 20})
		if n := w.lane.Status().Parked; n != 0 {
			t.Errorf("%d parked", n)
		}
	})
}

func TestOutageInTheMiddleOfAWindow(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.traits.Concurrency = 1
		w.tracker.each = 2
		w.vendor.fault = func(n int, rw http.ResponseWriter) bool {
			if n == 2 {
				rw.WriteHeader(http.StatusServiceUnavailable)
			}
			return n == 2
		}
		w.journal.add("buy", "buy", "buy", "buy", "buy", "buy")
		w.run()
		wait(900 * time.Millisecond)
		if last := w.outcomeLog.last(); len(last.Parked) != 4 || len(last.Intents) != 0 || last.Watermark != (event.Position{Seq: 2}) {
			t.Errorf("checkpoint: %+v", last)
		}
		wait(time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 6})
		for p, row := range w.outcomeLog.rows() {
			if want := map[bool]int{true: 2, false: 1}[p.Index == 2 || p.Index == 3]; row.Attempts != want {
				t.Errorf("%s: %d attempts, want %d", p, row.Attempts, want)
			}
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.vendor.fault = func(n int, rw http.ResponseWriter) bool {
			if n > 1 {
				return false
			}
			rw.Header().Set("Retry-After", "600")
			rw.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		w.journal.add("buy")
		w.run()
		wait(599 * time.Second)
		if n := w.vendor.asked(); n != 1 {
			t.Errorf("%d requests before Retry-After passed, want 1", n)
		}
		wait(5 * time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 1})
		if row := w.outcomeLog.rows()[event.Position{Seq: 1}]; row.Attempts != 2 {
			t.Errorf("%d attempts, want 2", row.Attempts)
		}
	})
}

func TestParkedEventIsRetriedUntilItsBudgetEnds(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.RetryFor = 2 * time.Hour
		w.vendor.say = func(id string) string {
			if id == "e1-1-0" {
				return "park"
			}
			return ""
		}
		w.journal.add("buy", "buy", "buy")
		w.run()
		wait(time.Minute)
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 2, event.Pending: 1})
		w.quit()
		w.run() // a parked event outlives the process
		wait(3 * time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 2, event.Rejected: 1})
		row := w.outcomeLog.rows()[event.Position{Seq: 1}]
		if row.Reason != "retries exhausted: user throttled" || row.Attempts < 10 || row.Attempts > 200 {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestParkedEventIsTakenLater(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		var throttled atomic.Bool
		throttled.Store(true)
		w.vendor.say = func(string) string { return map[bool]string{true: "park"}[throttled.Load()] }
		w.config.MaxParked = 3
		w.journal.add("buy", "buy", "buy", "buy", "buy")
		w.run()
		wait(time.Minute)
		if st := w.lane.Status(); st.Parked != 3 || st.EarliestNeeded != (event.Position{Seq: 1}) {
			t.Errorf("status at the bound of parked events: %+v", st)
		}
		throttled.Store(false)
		wait(time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 5})
	})
}

func TestMaxAgeExpiresWhileTheBreakerIsOpen(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.MaxAge = 24 * time.Hour
		var down atomic.Bool
		down.Store(true)
		w.transport = &wireless{handler: w.vendor, refuse: down.Load}
		for range 30 { // one message an hour
			data := make([]string, 30)
			for i := range data {
				data[i] = "buy"
			}
			w.journal.add(append(data, "unplanned")...)
			if w.stop == nil {
				w.run()
			}
			wait(time.Hour)
		}
		st := w.lane.Status()
		if st.EarliestNeeded.Seq != 7 {
			t.Errorf("the lane needs %s after 30 hours of outage, want message 7", st.EarliestNeeded)
		}
		w.journal.trim(st.EarliestNeeded.Seq)
		down.Store(false)
		wait(10 * time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 690, event.Expired: 210, event.Filtered: 30}) // message 7 got too old since
	})
}

func TestMaxAgeExpiresParkedEvents(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.MaxAge, w.config.RetryFor, w.config.MaxParked = 10*time.Hour, 100*time.Hour, 1
		w.vendor.say = func(string) string { return "park" }
		w.journal.add("buy", "buy")
		w.run()
		wait(11 * time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Expired: 2})
	})
}

// What is uncertain after a process died is about a second's worth of sending, not
// a whole window of a vendor that answers slowly.
func TestWindowsOfAVendorWithoutDedupAreShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, false)
		w.tracker.each, w.traits.MaxBatch, w.traits.Concurrency = 1, 200, 10
		w.vendor.fault = func(int, http.ResponseWriter) bool {
			<-time.After(100 * time.Millisecond)
			return false
		}
		for range 300 {
			w.journal.add("buy", "buy", "buy", "buy", "buy", "buy", "buy", "buy", "buy", "buy")
		}
		w.run()
		wait(20 * time.Second)
		if n := len(w.outcomeLog.last().Intents); n > 120 {
			t.Errorf("%d events are announced at once, of a vendor that takes 100 a second", n)
		}
		wait(20 * time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 3000})
	})
}
