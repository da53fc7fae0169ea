package faults_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

const isolatedConfig = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: backend, keys: [` + serverKey + `] }]
trackers:
%s`

// fragile is a vendor that fails on every request that holds a word, and on
// everything while it is down.
type fragile struct {
	*vendor
	down       atomic.Bool
	failed     atomic.Int64 // requests
	neighbours atomic.Int64 // of these, after found was set: those that held another event, too
	found      atomic.Bool
}

// ServeHTTP is the stand-in's.
func (f *fragile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if bad := bytes.Contains(body, []byte("the word")); bad || f.down.Load() {
		f.failed.Add(1)
		if bad && f.found.Load() && bytes.Count(body, []byte(`"note"`)) > 1 {
			f.neighbours.Add(1)
		}
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.vendor.ServeHTTP(w, r)
}

// One event on which a vendor fails each time does not hold up the others; it is
// tried alone until its budget ends. A vendor that is down parks nothing.
func TestEventOnWhichAVendorFails(t *testing.T) {
	t.Parallel()
	vendors := map[string]*fragile{}
	var trackers strings.Builder
	for _, kind := range kinds() {
		vendors[kind] = &fragile{vendor: newVendor(kind)}
		trackers.WriteString(trackerEntry(kind, kind, serve(t, vendors[kind]).URL, "isolateAfter: 2", "budget: 10s"))
	}
	g := harness.New(t, map[string]string{"sparrow.yaml": fmt.Sprintf(isolatedConfig, trackers.String()), "plan.yaml": countedPlan}, "serve")
	g.Start()
	send := func(n int, note string) {
		t.Helper()
		body := fmt.Sprintf(`{"event":"counted","deviceId":"device-%[1]d","eventId":"event-%[1]d","properties":{"n":%[1]d,"note":%[2]q}}`, n, note)
		if status, answer := g.Post(serverKey, body); status != http.StatusOK {
			t.Fatalf("POST: %d %s", status, answer)
		}
	}
	parked := func() int { return harness.Number(g.Query(`select count(*) as n from parked`)[0], "n") }

	for _, v := range vendors {
		v.down.Store(true)
	}
	for n := range 10 {
		send(n, map[bool]string{true: "the word", false: "fine"}[n == 0])
	}
	for kind, v := range vendors {
		g.Await(kind+" to have failed often", time.Minute, func() bool { return v.failed.Load() >= 8 })
	}
	if list := g.Command("trackers", "list", "--format", "csv"); parked() != 0 || strings.Count(list, "open: http 500")+strings.Count(list, "half-open: http 500") != 2 {
		t.Errorf("while the vendors are down:\n%s", list)
	}
	for kind, v := range vendors {
		v.down.Store(false)
		g.Await(kind+" to have the others", time.Minute, func() bool { return v.taken.Total() == 9 })
		v.found.Store(true)
	}
	for n := range 10 {
		send(10+n, "fine")
	}
	for kind, v := range vendors {
		g.Await(kind+" to have what came later", time.Minute, func() bool { return v.taken.Total() == 19 })
	}
	g.Await("the budget to end", 2*time.Minute, func() bool {
		return len(g.Query(`select * from deliveries where eventId = 'event-0'`)) == 2
	})
	for _, row := range g.Query(`select tracker, outcome, reason, status from deliveries where eventId = 'event-0'`) {
		if row["outcome"] != rejected || row["reason"] != "retries exhausted: http 500 Internal Server Error" {
			t.Errorf("the event on which the vendors fail: %v", row)
		}
	}
	for kind, v := range vendors {
		if v.neighbours.Load() != 0 {
			t.Errorf("%s: it was sent with others %d times after it was found", kind, v.neighbours.Load())
		}
	}
	g.Await("the sums to agree", time.Minute, func() bool {
		rows := g.Query(`select sum(accepted) as accepted, sum(delivered) as delivered, sum(rejected) as rejected, sum(unaccounted) as unaccounted from reconciliation`)
		return fmt.Sprint(rows) == "[map[accepted:40 delivered:38 rejected:2 unaccounted:0]]"
	})
}
