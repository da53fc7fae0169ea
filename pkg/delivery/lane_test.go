package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is everything around a lane.
type world struct {
	t         testing.TB
	journal   *journal
	ledger    *ledger
	vendor    *vendor
	tracker   *translator
	transport http.RoundTripper
	incidents *recorder
	logs      *bytes.Buffer
	config    delivery.Config
	traits    tracker.Traits
	plan      atomic.Pointer[tracer]
	lane      *delivery.Lane
	stop      func() error
}

// newWorld is a world in memory, for time that is fake.
func newWorld(t testing.TB, dedup bool) *world {
	w := &world{
		t: t, journal: newJournal(), ledger: newLedger(t), vendor: &vendor{},
		tracker: &translator{base: "https://vendor.test", each: 4, dedup: dedup}, incidents: &recorder{}, logs: &bytes.Buffer{},
		config: delivery.DefaultConfig(),
		traits: tracker.Traits{MaxBatch: 8, Linger: 100 * time.Millisecond, Concurrency: 2, Dedup: dedup, Secrets: []tracker.Secret{secret}},
	}
	w.plan.Store(&tracer{version: "plan-1"})
	w.transport = &wireless{handler: w.vendor}
	w.config.Name, w.config.From, w.config.Timeout, w.config.Drain = "fake", delivery.FromStart, 5*time.Second, time.Second
	return w
}

func (w *world) deps() delivery.Deps {
	return delivery.Deps{
		Source: w.journal, Ledger: w.ledger, Tracer: func() delivery.Tracer { return w.plan.Load() }, Observer: w.incidents,
		Logger:    slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Transport: w.transport, Registerer: prometheus.NewRegistry(), Release: "1.2.3",
		Sanitize: func(s string) string { return strings.ReplaceAll(s, "ann@example.com", "[email]") },
	}
}

// run starts a lane on the world's state. stop ends it and returns its error.
func (w *world) run() {
	w.t.Helper()
	lane, err := delivery.New(w.config, w.tracker, w.traits, w.deps())
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- lane.Run(ctx) }()
	w.lane = lane
	w.stop = func() error {
		cancel()
		return <-ended
	}
}

// quit stops the lane, which must end well, and audits the world.
func (w *world) quit() {
	w.t.Helper()
	if err := w.stop(); err != nil {
		w.t.Fatalf("Run() = %v, want nil", err)
	}
	w.audit()
}

// audit compares the journal, the reports and the vendor's own log: each event
// has one place, the sums agree, and nothing was taken that is not told.
func (w *world) audit() map[event.Outcome]int {
	w.t.Helper()
	rows, last := w.ledger.rows(), w.ledger.last()
	parkedNow, intents := make(map[event.Position]bool), make(map[event.Position]bool)
	for _, p := range last.Parked {
		parkedNow[p.Position] = true
	}
	for _, p := range last.Intents {
		intents[p] = true
	}
	held := make(map[string]uint64)
	for _, r := range w.ledger.reports() {
		for _, h := range r.Held {
			held[h.Event] += h.Count
		}
	}
	taken, sums := w.vendor.taken(), make(map[event.Outcome]int)
	for _, m := range w.journal.messages {
		for _, rec := range m {
			p := rec.Receipt.Position
			row, has := rows[p]
			pending := parkedNow[p] || !p.Before(last.Watermark)
			switch times := taken[rec.EventID]; {
			case rec.Duplicate:
				if has || times > 0 {
					w.t.Errorf("duplicate %s: row %v, taken %d times", p, row, times)
				}
			case strings.HasPrefix(string(rec.Data), "unplanned"):
				if has || times > 0 {
					w.t.Errorf("unplanned %s: row %v, taken %d times", p, row, times)
				}
				if p.Before(last.Watermark) {
					held[string(rec.Data)]--
					sums[event.Filtered]++
				}
			case has == pending && !p.Before(last.Start):
				w.t.Errorf("%s (%s): has outcome %v, pending %v: want one of them", p, rec.Data, has, pending)
			case has:
				w.auditRow(row, times)
				sums[row.Outcome]++
			case pending:
				sums[event.Pending]++
				if times > 0 && !w.traits.Dedup && !intents[p] {
					w.t.Errorf("%s was taken and could be sent again", p)
				}
			}
			if !w.traits.Dedup && taken[rec.EventID] > 1 {
				w.t.Errorf("%s was taken %d times by a vendor without dedup", p, taken[rec.EventID])
			}
		}
	}
	for name, n := range held {
		if n != 0 {
			w.t.Errorf("held events %q: counts are off by %d", name, int64(n))
		}
	}
	return sums
}

func (w *world) auditRow(row event.Delivery, times int) {
	w.t.Helper()
	switch {
	case row.Outcome == event.Delivered && times == 0:
		w.t.Errorf("%s is delivered, the vendor has not got it", row.Position)
	case row.Outcome != event.Delivered && row.Outcome != event.Uncertain && times > 0 && !w.traits.Dedup:
		w.t.Errorf("%s is %s, the vendor took it", row.Position, row.Outcome)
	case row.Outcome == event.Pending:
		w.t.Errorf("%s has a row that says pending", row.Position)
	case len(row.Error) > 1000 || len(row.Reason) > 200:
		w.t.Errorf("%s: row is too long", row.Position)
	}
}

// wait lets fake time pass.
func wait(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// counts compares the sums of an audit.
func counts(t testing.TB, got map[event.Outcome]int, want map[event.Outcome]int) {
	t.Helper()
	for o := event.Pending; o <= event.Uncertain; o++ {
		if got[o] != want[o] {
			t.Errorf("%s: %d events, want %d", o, got[o], want[o])
		}
	}
}

// both runs a test in fake time for a vendor with and one without a dedup key.
func both(t *testing.T, test func(t *testing.T, w *world)) {
	for _, dedup := range []bool{true, false} {
		t.Run(fmt.Sprintf("dedup=%v", dedup), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, dedup)) })
		})
	}
}

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
		rows := w.ledger.rows()
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
		for _, r := range w.ledger.reports() {
			for _, k := range r.Leaks {
				leaks += int(k.Count)
			}
			if r.Tracker != "fake" || r.Epoch != "e1" || r.Plan != "plan-1" || r.Release != "1.2.3" || r.Time.IsZero() {
				t.Errorf("report's head: %+v", r)
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
		if last := w.ledger.last(); len(last.Intents) != 0 || last.Watermark != (event.Position{Seq: 1}) {
			t.Errorf("report in the outage: %+v", last)
		}
		if age := time.Since(w.ledger.last().Time); age > time.Minute {
			t.Errorf("last report is %s old: it holds the outcomes stream", age)
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
		if last := w.ledger.last(); len(last.Parked) != 4 || len(last.Intents) != 0 || last.Watermark != (event.Position{Seq: 2}) {
			t.Errorf("report: %+v", last)
		}
		wait(time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 6})
		for p, row := range w.ledger.rows() {
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
	})
}

func TestParkedEventIsRetriedUntilItsBudgetEnds(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.Budget = 2 * time.Hour
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
		row := w.ledger.rows()[event.Position{Seq: 1}]
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
		if st := w.lane.Status(); st.Parked != 3 || st.Needs != (event.Position{Seq: 1}) {
			t.Errorf("status at the bound of parked events: %+v", st)
		}
		throttled.Store(false)
		wait(time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 5})
	})
}

func TestAgainAndHalve(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.tracker.each = 8
		w.vendor.say = func(id string) string { return map[string]string{"e1-1-0": "again"}[id] }
		w.vendor.fault = func(n int, rw http.ResponseWriter) bool {
			if v := w.vendor; v.batches[n-1] > 2 || n == 3 { // the third request is one half
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
		w.traits.Window = 72 * time.Hour
		w.journal.add("buy", "old")
		w.run()
		wait(time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 1, event.Rejected: 1})
		if r := w.ledger.rows()[event.Position{Seq: 1, Index: 1}].Reason; r != "older than the vendor takes (72h)" {
			t.Errorf("reason %q", r)
		}
	})
}

func TestMaxAgeExpiresWhileTheBreakerIsOpen(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.MaxAge = 24 * time.Hour
		var down atomic.Bool
		down.Store(true)
		w.transport = &wireless{handler: w.vendor, refuse: down.Load}
		for range 30 { // one message an hour
			data := make([]string, 100)
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
		if st.Needs.Seq != 7 {
			t.Errorf("the lane needs %s after 30 hours of outage, want message 7", st.Needs)
		}
		w.journal.trim(st.Needs.Seq)
		down.Store(false)
		wait(10 * time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 2300, event.Expired: 700, event.Filtered: 30}) // message 7 got too old since
	})
}

func TestMaxAgeExpiresParkedEvents(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.config.MaxAge, w.config.Budget, w.config.MaxParked = 10*time.Hour, 100*time.Hour, 1
		w.vendor.say = func(string) string { return "park" }
		w.journal.add("buy", "buy")
		w.run()
		wait(11 * time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Expired: 2})
	})
}

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
		for _, r := range w.ledger.reports() {
			gaps = append(gaps, r.Gaps...)
		}
		want := []event.Gap{{From: event.Position{Seq: 3}, To: event.Position{Seq: 4}}, {From: event.Position{Seq: 6}, To: event.Position{Seq: 9}}}
		if fmt.Sprint(gaps) != fmt.Sprint(want) {
			t.Errorf("gaps %v, want %v", gaps, want)
		}
		if got := w.ledger.last().Watermark; got != (event.Position{Seq: 11}) {
			t.Errorf("watermark %s, want 11-0", got)
		}
		if c := w.incidents.classes(); len(c) != 1 || c[0] != "journal gap" {
			t.Errorf("incidents %v", c)
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
		if w.vendor.asked() != 0 || w.ledger.rows()[event.Position{Seq: 1}].Reason != "dry-run" {
			t.Errorf("%d requests, rows %v", w.vendor.asked(), w.ledger.rows())
		}
	})
}

func TestFencedLaneEnds(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.journal.add("buy")
		w.run()
		wait(time.Second)
		first := w.stop
		w.ledger = w.ledger.clone()
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
				last := w.ledger.last()
				if last.Epoch != "e2" || last.Start != (event.Position{Seq: 1}) || len(last.Parked) != 0 {
					t.Errorf("last report: %+v", last)
				}
				if got := strings.Join(w.incidents.classes(), ","); got != "journal epoch" {
					t.Errorf("incidents: %s", got)
				}
				expired := 0
				for _, r := range w.ledger.reports() {
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
		last := w.ledger.last()
		if !last.Closed || len(last.Parked) != 0 || delivery.Needs(&last) != (event.Position{}) {
			t.Errorf("last report: %+v", last)
		}
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 1, event.Expired: 2101, event.Rejected: 300, event.Filtered: 300})
		if r := w.ledger.rows()[event.Position{Seq: 1}].Reason; r != "tracker removed" {
			t.Errorf("reason %q", r)
		}
		w.run() // it comes back: from now, whatever it is configured to
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
		for _, r := range w.ledger.reports() {
			for _, d := range r.Deliveries {
				if want := fmt.Sprintf("plan-%d", d.Position.Seq); r.Plan != want {
					t.Errorf("%s was decided by %s, the report says %s", d.Position, want, r.Plan)
				}
			}
		}
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
		if n := len(w.ledger.reports()); n > 15 {
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
