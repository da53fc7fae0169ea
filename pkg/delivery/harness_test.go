package delivery_test

import (
	"bytes"
	"context"
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
	t          testing.TB
	journal    *journal
	outcomeLog *outcomeLog
	vendor     *vendor
	tracker    *translator
	transport  http.RoundTripper
	incidents  *recorder
	logs       *bytes.Buffer
	config     delivery.Config
	traits     tracker.Traits
	plan       atomic.Pointer[tracer]
	registry   *prometheus.Registry
	lane       *delivery.Lane
	stop       func() error
}

// newWorld is a world in memory, for time that is fake.
func newWorld(t testing.TB, dedup bool) *world {
	w := &world{
		t: t, journal: newJournal(), outcomeLog: newOutcomeLog(t), vendor: &vendor{},
		tracker: &translator{base: "https://vendor.test", each: 4, dedup: dedup}, incidents: &recorder{}, logs: &bytes.Buffer{}, registry: prometheus.NewRegistry(),
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
		Source: w.journal, OutcomeLog: w.outcomeLog, Tracer: func() delivery.Tracer { return w.plan.Load() }, Reporter: w.incidents,
		Logger:    slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Transport: w.transport, Registerer: w.registry, Release: "1.2.3",
		Sanitize: func(s string) string { return strings.ReplaceAll(s, "ann@example.com", "[email]") },
	}
}

// run starts a lane on the world's state. stop ends it and returns its error.
func (w *world) run() {
	w.t.Helper()
	w.runTracker(w.tracker)
}

// runTracker is run with another tracker.
func (w *world) runTracker(t tracker.Tracker) {
	w.t.Helper()
	if w.transport == nil { // real sockets, real time
		w.traits.Linger = time.Millisecond
	}
	lane, err := delivery.New(w.config, t, w.traits, w.deps())
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
// has one place, the sums agree, and nothing was taken that is not reported.
func (w *world) audit() map[event.Outcome]int {
	w.t.Helper()
	rows, last := w.outcomeLog.rows(), w.outcomeLog.last()
	parkedNow, intents := make(map[event.Position]bool), make(map[event.Position]bool)
	for _, p := range last.Parked {
		parkedNow[p.Position] = true
	}
	for _, p := range last.Intents {
		intents[p] = true
	}
	filtered := make(map[string]uint64)
	for _, r := range w.outcomeLog.checkpoints() {
		for _, h := range r.Filtered {
			filtered[h.Event] += h.Count
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
					filtered[string(rec.Data)]--
					sums[event.Filtered]++
				}
			case has == pending && !p.Before(last.Start):
				w.t.Errorf("%s (%s): has outcome %v, pending %v: want one of them", p, rec.Data, has, pending)
			case has:
				w.auditRow(row, times)
				named := row.Source == rec.Source && row.Event == event.CountedName(&rec)
				if unnamed := row.Source == "" && row.Event == ""; !named && (!unnamed || w.journal.has(p)) {
					w.t.Errorf("%s: source %q, event %q", p, row.Source, row.Event)
				}
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
	for name, n := range filtered {
		if n != 0 {
			w.t.Errorf("filtered events %q: counts are off by %d", name, int64(n))
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
