package delivery_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// The outcome log fails the test when a checkpoint is larger than a message may be.
func TestReportsFitAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.traits.MaxBatch, w.traits.Concurrency, w.tracker.each = 2000, 8, 100
		w.vendor.say = func(string) string { return "reject" } // with an answer of many kilobytes
		for range 3000 {
			w.journal.add("buy")
		}
		for _, m := range w.journal.messages {
			m[0].EventID += strings.Repeat("x", 128-len(m[0].EventID))
		}
		w.run()
		wait(time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Rejected: 3000})
		for p, row := range w.outcomeLog.rows() {
			if len(row.Error) < 100 {
				t.Fatalf("%s: only %d bytes of the answer are left", p, len(row.Error))
			}
		}
	})
}

func TestRemovalOfManyParkedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		last := event.Checkpoint{Tracker: "fake", Epoch: "e1", Start: event.Position{Seq: 1}, Watermark: event.Position{Seq: 2501}}
		for range 2500 {
			p := w.journal.add("buy")[0].Receipt.Position
			last.Parked = append(last.Parked, event.Parked{Position: p, Since: time.Now(), Attempts: 1})
		}
		if _, err := w.outcomeLog.Publish(t.Context(), &last, 0); err != nil {
			t.Fatal(err)
		}
		if err := delivery.Remove(t.Context(), "fake", w.deps()); err != nil {
			t.Fatal(err)
		}
		counts(t, w.audit(), map[event.Outcome]int{event.Expired: 2500})
		for i, c := range w.outcomeLog.checkpoints() {
			if len(c.Deliveries) > 1000 {
				t.Errorf("checkpoint %d has %d rows", i, len(c.Deliveries))
			}
		}
	})
}

func TestOutcomesNameTheirEvents(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.vendor.say = func(string) string { return "reject" }
		var data []string
		for i := range 600 {
			data = append(data, fmt.Sprintf(`{"event":"%d %s"}`, i, strings.Repeat("\u00e9", 190)))
		}
		w.journal.add(data...)
		w.run()
		wait(time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Rejected: 600}) // compares the names
		names := make(map[string]bool)
		for _, row := range w.outcomeLog.rows() {
			names[row.Event] = true
		}
		if len(names) != 600 {
			t.Errorf("%d names, want 600", len(names))
		}
	})
}

func TestManyNamesStayBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		const messages, each = 50, 100
		for i := range messages {
			var data []string
			for j := range each {
				data = append(data, fmt.Sprintf("unplanned %d %d %s", i, j, strings.Repeat("n", 280)))
			}
			w.journal.add(data...)
		}
		w.run()
		wait(10 * time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Filtered: messages * each})
		if n := len(w.outcomeLog.checkpoints()); n < 3 || n > 30 {
			t.Errorf("%d reports for 1.5 MB of names", n)
		}
	})
}

func TestRequestsUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.traits.MaxBatch, w.config.Concurrency, w.tracker.each = 100, 3, 1
		var mu sync.Mutex
		under, most := 0, 0
		w.transport = &wireless{handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			under++
			most = max(most, under)
			mu.Unlock()
			<-time.After(time.Second)
			w.vendor.ServeHTTP(rw, r)
			mu.Lock()
			under--
			mu.Unlock()
		})}
		for range 20 {
			w.journal.add("buy")
		}
		w.run()
		wait(time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 20})
		if most != 3 {
			t.Errorf("%d requests at once, want 3", most)
		}
	})
}

func TestProbesAreSmallAndFewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.tracker.each, w.traits.MaxBatch, w.config.Concurrency = 100, 100, 1
		w.vendor.set(func(n int, rw http.ResponseWriter) bool {
			if n < 8 {
				rw.WriteHeader(http.StatusBadGateway)
			}
			return n < 8
		})
		for range 50 {
			w.journal.add("buy", "buy", "buy", "buy")
		}
		w.run()
		wait(time.Hour)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 200})
		if b := w.vendor.batches; b[0] != 100 || b[1] > 5 || b[7] > 5 || b[8] <= 5 {
			t.Errorf("sizes of requests: %v", b)
		}
	})
}

// broken is a tracker whose Judge breaks its contract.
type broken struct {
	translator
	judge func() []tracker.Verdict
}

func (b *broken) Judge(tracker.Request, tracker.Response) []tracker.Verdict { return b.judge() }

func TestTrackerThatCannotJudge(t *testing.T) {
	for name, judge := range map[string]func() []tracker.Verdict{
		"panic":    func() []tracker.Verdict { panic(secret) },
		"too few":  func() []tracker.Verdict { return nil },
		"too many": func() []tracker.Verdict { return make([]tracker.Verdict, 99) },
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *world) {
				w.config.RetryFor = time.Hour
				w.journal.add("buy", "buy")
				w.runTracker(&broken{translator: *w.tracker, judge: judge})
				wait(2 * time.Hour)
				if err := w.stop(); err != nil {
					t.Fatal(err)
				}
				want := map[bool]event.Outcome{true: event.Rejected, false: event.Uncertain}[w.traits.Dedup]
				for p, row := range w.outcomeLog.rows() {
					if row.Outcome != want {
						t.Errorf("%s: %+v, want %s", p, row, want)
					}
				}
				if len(w.outcomeLog.rows()) != 2 {
					t.Errorf("rows: %v", w.outcomeLog.rows())
				}
				w.discreet()
			})
		})
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.registry = prometheus.NewRegistry()
		w.journal.add("buy", "unplanned", "too long")
		w.run()
		wait(time.Second)
		w.quit()
		w.run() // a lane that comes back shares the metrics
		w.journal.add("buy")
		wait(time.Second)
		got := w.series()
		w.quit()
		for key, want := range map[string]float64{
			"sparrow_delivery_outcomes_total,delivered,fake": 2, "sparrow_delivery_outcomes_total,filtered,fake": 1,
			"sparrow_delivery_outcomes_total,rejected,fake": 1, "sparrow_delivery_requests_total,2xx,fake": 2,
			"sparrow_delivery_request_seconds,fake": 2, "sparrow_delivery_parked_entries,fake": 0, "sparrow_delivery_breaker_state,fake": 0,
			"sparrow_delivery_lag_seconds,fake": 0, "sparrow_delivery_publish_errors_total,fake": 0,
		} {
			if value, ok := got[key]; !ok || value != want {
				t.Errorf("%s = %v, %v; want %v", key, value, ok, want)
			}
		}
		for key := range w.series() { // where it stood is not shown once it has ended
			for _, name := range []string{"parked_entries", "breaker_state", "lag_seconds", "backlog_messages"} {
				if strings.Contains(key, name) {
					t.Errorf("%s is there after the lane has ended", key)
				}
			}
		}
	})
}

// series are the registry's, by name and labels.
func (w *world) series() map[string]float64 {
	w.t.Helper()
	got := make(map[string]float64)
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += "," + l.GetValue()
			}
			got[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return got
}

func TestUntrustedCertificate(t *testing.T) {
	w := newWorld(t, false)
	server := httptest.NewUnstartedServer(w.vendor)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	w.transport, w.tracker.base = nil, server.URL
	w.journal.add("buy")
	w.run()
	w.until(func() bool { return w.lane.Status().Breaker != delivery.Closed })
	w.quit()
	if got := strings.Join(w.incidents.classes(), ","); got != "tls" {
		t.Errorf("incidents %s", got)
	}
	counts(t, w.audit(), map[event.Outcome]int{event.Pending: 1})
}
