package delivery_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// checking is a tracker whose vendor is asked about events before it gets them.
type checking struct{ *translator }

func (c checking) Requests(batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	requests, rejections := c.translator.Requests(batch)
	for i := range requests {
		before := requests[i]
		before.URL = strings.Replace(before.URL, "/collect", "/check", 1)
		requests[i].Before = &before
	}
	return requests, rejections
}

func (c checking) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	verdicts := c.translator.Judge(req, resp)
	for i := range verdicts {
		if strings.Contains(req.URL, "/check") && verdicts[i].Action == tracker.Deliver {
			verdicts[i].Reason = "checked"
		}
	}
	return verdicts
}

// checkpoint is the vendor with its check: it takes no event there.
type stateInterval struct {
	*vendor
	mu     sync.Mutex
	asked  int
	refuse string // the id that the check refuses
	fault  func(n int, w http.ResponseWriter) bool
}

func (c *stateInterval) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/check" {
		c.vendor.ServeHTTP(w, r)
		return
	}
	c.mu.Lock()
	c.asked++
	n := c.asked
	c.mu.Unlock()
	if c.fault != nil && c.fault(n, w) {
		return
	}
	_ = json.NewEncoder(w).Encode(wire{Say: map[string]string{c.refuse: "reject"}})
}

// check runs five events through a vendor with a check and returns their rows.
func check(t *testing.T, w *world, point *stateInterval, change func(*wireless)) map[string]event.Delivery {
	t.Helper()
	point.vendor = w.vendor
	line := &wireless{handler: point}
	if change != nil {
		change(line)
	}
	w.transport = line
	w.journal.add("buy", "buy", "buy", "buy", "buy")
	w.runTracker(checking{w.tracker})
	wait(30 * time.Minute)
	w.quit()
	rows := make(map[string]event.Delivery)
	for _, row := range w.outcomeLog.rows() {
		rows[row.EventID] = row
	}
	return rows
}

func TestWhatIsCheckedIsDeliveredWithThatReason(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		point := &stateInterval{}
		for id, row := range check(t, w, point, nil) {
			if row.Outcome != event.Delivered || row.Reason != "checked" || row.Attempts != 1 {
				t.Errorf("%s: %v %q after %d attempts", id, row.Outcome, row.Reason, row.Attempts)
			}
		}
		if point.asked != w.vendor.asked() || point.asked != 2 {
			t.Errorf("%d checks, %d requests: want 2 of each", point.asked, w.vendor.asked())
		}
	})
}

func TestWhatTheCheckRefusesIsNeverSent(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		point := &stateInterval{refuse: "e1-1-2"}
		w.tracker.each = 5
		rows := check(t, w, point, nil)
		for id, row := range rows {
			want, reason := event.Delivered, "checked"
			if id == point.refuse {
				want, reason = event.Rejected, "field: refused"
			}
			if row.Outcome != want || row.Reason != reason {
				t.Errorf("%s: %v %q, want %v %q", id, row.Outcome, row.Reason, want, reason)
			}
		}
		if w.vendor.taken()[point.refuse] != 0 || len(w.vendor.taken()) != 4 {
			t.Errorf("the vendor took %v", w.vendor.taken())
		}
		if got := w.incidents.classes(); len(got) != 1 || got[0] != "validation" {
			t.Errorf("incidents %v, want one class, validation", got)
		}
		if text := w.incidents.text(); strings.Contains(text, secret) || !strings.Contains(text, "field: refused") {
			t.Errorf("incident: %s", text)
		}
		for result, want := range map[string]float64{"passed": 4, "refused": 1, "waiting": 4} {
			if got := before(t, w, result); got != want {
				t.Errorf("%v events %s, want %v", got, result, want)
			}
		}
	})
}

// A check that fails in any way makes nothing uncertain, for the vendor took
// nothing by it; and nothing is taken twice.
func TestAFailedCheckMakesNothingUncertain(t *testing.T) {
	for name, fault := range map[string]func(point *stateInterval, line *wireless){
		"an outage": func(point *stateInterval, _ *wireless) {
			point.fault = func(n int, rw http.ResponseWriter) bool {
				if n <= 3 {
					rw.WriteHeader(http.StatusServiceUnavailable)
				}
				return n <= 3
			}
		},
		"answers lost": func(point *stateInterval, line *wireless) {
			line.lose = func() bool {
				point.mu.Lock()
				defer point.mu.Unlock()
				return point.asked <= 2 && point.vendor.asked() == 0
			}
		},
		"no connection": func(_ *stateInterval, line *wireless) {
			refused := 0
			line.refuse = func() bool { refused++; return refused <= 3 }
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *world) {
				w.traits.Concurrency = 1
				point := &stateInterval{}
				rows := check(t, w, point, func(line *wireless) { fault(point, line) })
				if len(rows) != 5 {
					t.Errorf("%d rows, want 5", len(rows))
				}
				for id, row := range rows {
					if row.Outcome != event.Delivered || w.vendor.taken()[id] != 1 {
						t.Errorf("%s: %v %q, taken %d times", id, row.Outcome, row.Reason, w.vendor.taken()[id])
					}
				}
			})
		})
	}
}

// before is the metric of what came of the checks.
func before(t *testing.T, w *world, result string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, label := range m.GetLabel() {
				if f.GetName() == "sparrow_delivery_before_total" && label.GetValue() == result {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	return 0
}
