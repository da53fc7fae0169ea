package delivery_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestEveryEventHasOnePlace(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.vendor.say = func(id string) string {
			if id == "e1-2-1" {
				return "reject"
			}
			return ""
		}
		w.journal.add("buy", "duplicate", "unplanned", "malformed", "a@b")
		w.journal.add("buy", "buy", "too long", "skipped", "panic", "forgotten", "unplanned")
		w.run()
		wait(time.Second)
		for range 30 {
			w.journal.add("buy", "unplanned")
		}
		wait(5 * time.Second)
		w.quit()
		sums := w.audit()
		counts(t, sums, map[event.Outcome]int{event.Delivered: 33, event.Filtered: 33, event.Rejected: 5})
		rows := w.outcomeLog.rows()
		for p, want := range map[event.Position]string{
			{Seq: 1, Index: 3}: "malformed", {Seq: 2, Index: 1}: "field: refused", {Seq: 2, Index: 2}: "name: too long",
			{Seq: 2, Index: 3}: "left out by configuration",
		} {
			if rows[p].Reason != want {
				t.Errorf("%s: reason %q, want %q", p, rows[p].Reason, want)
			}
		}
		row := rows[event.Position{Seq: 2, Index: 1}]
		if row.Status != 200 || row.Attempts != 1 || !strings.Contains(row.Error, "[email]") || row.EventID != "e1-2-1" || row.Day.Hour() != 0 {
			t.Errorf("row of a refused event: %+v", row)
		}
		leaks := 0
		for _, r := range w.outcomeLog.checkpoints() {
			for _, k := range r.Leaks {
				leaks += int(k.Count)
			}
			if r.Tracker != "fake" || r.Epoch != "e1" || r.Plan != "plan-1" || r.Release != "1.2.3" || r.Time.IsZero() {
				t.Errorf("checkpoint's head: %+v", r)
			}
		}
		if leaks != 1 {
			t.Errorf("%d leaks counted, want 1", leaks)
		}
		if st := w.lane.Status(); st.Outcomes[event.Delivered] != 33 || st.Breaker != delivery.Closed || st.Lag != 0 {
			t.Errorf("status: %+v", st)
		}
	})
}

func TestAgainAndHalve(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.tracker.each = 8
		w.vendor.say = func(id string) string { return map[string]string{"e1-1-0": "again"}[id] }
		w.vendor.fault = func(n int, rw http.ResponseWriter) bool {
			w.vendor.mu.Lock()
			size := w.vendor.batches[n-1]
			w.vendor.mu.Unlock()
			if size > 2 || n == 3 { // the third request is one half
				rw.WriteHeader(http.StatusBadRequest)
				return true
			}
			return false
		}
		w.journal.add("buy", "buy", "buy", "buy", "buy", "buy", "buy", "buy")
		w.run()
		wait(30 * time.Second)
		w.stop() //nolint:errcheck // looked at below
		sums := w.audit()
		if sums[event.Delivered]+sums[event.Rejected]+sums[event.Pending] != 8 || sums[event.Delivered] < 6 {
			t.Errorf("sums: %v", sums)
		}
	})
}

func TestOlderThanTheVendorTakes(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.traits.MaxEventAge = 72 * time.Hour
		w.journal.add("buy", "old")
		w.run()
		wait(time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 1, event.Rejected: 1})
		if r := w.outcomeLog.rows()[event.Position{Seq: 1, Index: 1}].Reason; r != "older than the vendor takes (72h)" {
			t.Errorf("reason %q", r)
		}
	})
}

func TestDryRunSendsNothing(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.Mode = delivery.DryRun
		w.journal.add("buy", "too long", "unplanned")
		w.run()
		wait(time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Filtered: 2, event.Rejected: 1})
		if w.vendor.asked() != 0 || w.outcomeLog.rows()[event.Position{Seq: 1}].Reason != "dry-run" {
			t.Errorf("%d requests, rows %v", w.vendor.asked(), w.outcomeLog.rows())
		}
	})
}

func TestDryRunWaitsForNoBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.config.Mode, w.traits.Linger = delivery.DryRun, time.Minute
		w.journal.add("buy")
		w.run()
		wait(time.Second)
		if n := len(w.outcomeLog.rows()); n != 1 {
			t.Errorf("%d outcomes after a second, want one: nothing is sent, so there is no batch to fill", n)
		}
		w.quit()
	})
}

func TestFiltersCostNoPublishPerBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.run()
		for range 1000 { // ten seconds
			w.journal.add("unplanned")
			wait(10 * time.Millisecond)
		}
		wait(2 * time.Second)
		if n := len(w.outcomeLog.checkpoints()); n > 15 {
			t.Errorf("%d reports in 12 seconds of filtered events, want about one a second", n)
		}
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Filtered: 1000})
	})
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.config.Rate = 10
		for range 100 {
			w.journal.add("buy")
		}
		w.run()
		wait(5 * time.Second)
		if n := len(w.vendor.taken()); n < 30 || n > 65 {
			t.Errorf("%d events taken in 5 s at 10/s", n)
		}
		wait(10 * time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 100})
	})
}
