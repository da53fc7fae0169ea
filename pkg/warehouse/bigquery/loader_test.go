package bigquery_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// run is a loader at work between a journal and the strict server.
type run struct {
	t       *testing.T
	server  *bigquerytest.Server
	journal *warehousetest.Journal
	metrics *prometheus.Registry
	posted  uint64 // messages

	mu        sync.Mutex
	loaded    uint64 // the first message not loaded yet
	incidents []fault.Incident
}

// window is how long a record waits for others in these tests.
const window = 20 * time.Millisecond

func begin(t *testing.T, server *bigquerytest.Server, w *bigquery.Store) *run {
	t.Helper()
	r := &run{t: t, server: server, journal: warehousetest.NewJournal(epoch), metrics: prometheus.NewRegistry()}
	config := warehouse.DefaultConfig()
	config.Interval, config.Retention, config.Drain = window, 0, time.Second
	l, err := warehouse.NewLoader(config, warehouse.Options{
		Open: warehousetest.Opened(w), Events: r.journal.Events(), Outcomes: r.journal.Outcomes(), Registerer: r.metrics, Reporter: r,
		Loaded: func(events event.Position, outcomes uint64) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.loaded = min(events.Seq, outcomes)
		},
	})
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		must(t, <-done)
	})
	return r
}

// Report keeps an incident.
func (r *run) Report(i fault.Incident) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.incidents = append(r.incidents, i)
}

// post has the journal take messages of three events, each with a checkpoint that
// two of them are delivered: intake and lanes go on.
func (r *run) post(messages int) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	for range messages {
		var records []event.Record
		for i := range 3 {
			records = append(records, event.Record{
				ReceivedAt: now, Source: "shop", EventID: fmt.Sprintf("id-%d-%d", r.posted, i),
				Data: fmt.Appendf(nil, `{"event":"buy","deviceId":"d","n":%d}`, r.posted),
			})
		}
		r.send(records)
	}
}

func (r *run) send(records []event.Record) {
	day := warehouse.Day(records[0].ReceivedAt)
	r.posted = r.journal.Append(records...)
	report := event.Checkpoint{Tracker: "ga4", Time: day, Watermark: event.Position{Seq: r.posted + 1},
		Filtered: []event.FilteredCount{{Day: day, Source: "shop", Event: "buy", Reason: "consent", Count: 1}},
		Leaks:    []event.Leak{{Day: day, Source: "shop", Event: "buy", Property: "note", Kind: "email", Count: 1}}}
	for i := range uint32(2) {
		report.Deliveries = append(report.Deliveries, event.Delivery{Position: event.Position{Seq: r.posted, Index: i + 1}, Outcome: event.Delivered, Time: day, Day: day})
	}
	r.journal.AddCheckpoint(report)
}

// await waits for something to be so.
func (r *run) await(what string, so func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); !so(); <-tick.C {
		if time.Since(begun) > 2*patience {
			r.t.Fatalf("%s: it never came; incidents: %v", what, r.observed())
		}
	}
}

// settle waits until all that was posted is loaded.
func (r *run) settle() {
	r.t.Helper()
	r.await("everything loaded", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.loaded > r.posted
	})
}

// troubled waits until the loader has met the fault so often.
func (r *run) troubled(times int) {
	r.t.Helper()
	r.await("the fault", func() bool { return len(r.observed()) >= times })
}

// observed are the incidents so far.
func (r *run) observed() []fault.Incident {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]fault.Incident(nil), r.incidents...)
}

// lag is what /metrics says of it, in seconds.
func (r *run) lag() float64 {
	r.t.Helper()
	families, err := r.metrics.Gather()
	must(r.t, err)
	for _, f := range families {
		if f.GetName() == "sparrow_warehouse_lag_seconds" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	r.t.Fatal("no metric of the lag")
	return 0
}

// TestLoaderThroughFaults runs the loader through each fault that the strict
// server can be ordered to have. Meanwhile the journal goes on; at the end each
// row is there, once.
func TestLoaderThroughFaults(t *testing.T) {
	order := func(f bigquerytest.Fault) func(*run) func() {
		return func(r *run) func() { return r.server.Order(f).Clear }
	}
	for _, tt := range []struct {
		name  string
		fault func(*run) (heal func())
		lasts bool   // until it is healed; otherwise it passes by itself
		text  string // in each incident
	}{
		{"away", func(r *run) func() { r.server.Away(); return r.server.Back }, true, ""},
		{"quota", order(bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded, Method: bigquerytest.AppendRows}), true, "over a quota of BigQuery"},
		{"rate", order(bigquerytest.Fault{Kind: bigquerytest.RateLimited, Method: bigquerytest.AppendRows}), true, "over a quota of BigQuery"},
		{"permission", order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, Method: bigquerytest.AppendRows}), true, "roles/bigquery.dataEditor"},
		{"token", order(bigquerytest.Fault{Kind: bigquerytest.Unauthenticated, Method: bigquerytest.AppendRows}), true, "does not accept the access token"},
		{"internal error", order(bigquerytest.Fault{Kind: bigquerytest.InternalError}), true, ""},
		{"closed after commit", order(bigquerytest.Fault{Kind: bigquerytest.CloseAfterCommit, Method: bigquerytest.AppendRows, Calls: 3}), false, ""},
		{"reset after commit", order(bigquerytest.Fault{Kind: bigquerytest.ResetAfterCommit, Method: bigquerytest.AppendRows, Calls: 3}), false, ""},
		{"streams gone", order(bigquerytest.Fault{Kind: bigquerytest.StreamGone, Method: bigquerytest.AppendRows, Calls: 3}), false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
			r := begin(t, server, strict(t, server, func(c *bigquery.Config) { c.Timeout = 2 * time.Second }))
			r.post(10)
			r.settle()
			heal := tt.fault(r)
			r.post(20)
			if tt.lasts {
				r.troubled(2) // for longer than the batch window
				r.post(20)
				if lag := r.lag(); lag < window.Seconds() {
					t.Errorf("a lag of %f s, want more than the batch window", lag)
				}
				heal()
			}
			r.post(5)
			r.settle()
			if lag := r.lag(); lag != 0 {
				t.Errorf("a lag of %f s after all is loaded", lag)
			}
			r.check(tt.text)
		})
	}
}

// check: each row is there once, and all incidents are one issue.
func (r *run) check(text string) {
	r.t.Helper()
	checkRows(r.t, r.server, r.posted+1)
	list := r.observed()
	for _, i := range list {
		if i.Component != list[0].Component || i.Class != list[0].Class || !strings.Contains(i.Err.Error(), text) {
			r.t.Errorf("incident of %s, %s: %v, want all of one issue, with %q", i.Component, i.Class, i.Err, text)
		}
	}
}

// TestLoaderStartsWithoutBigQuery: it is away when loading starts.
func TestLoaderStartsWithoutBigQuery(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	server.Away()
	r := begin(t, server, strict(t, server, func(c *bigquery.Config) { c.Timeout = time.Second }))
	r.post(10)
	r.troubled(2)
	server.Back()
	r.post(10)
	r.settle()
	r.check("")
}

// TestLoaderQuarantines: an event of 12 MB goes to quarantine, the others of its
// batch are stored.
func TestLoaderQuarantines(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	r := begin(t, server, strict(t, server, nil))
	r.post(2)
	now := time.Now().UTC().Truncate(time.Microsecond)
	var records []event.Record
	for i, size := range []int{10, 12_000_000, 10} {
		records = append(records, event.Record{
			ReceivedAt: now, Source: "shop", EventID: fmt.Sprintf("large-%d", i), Data: fmt.Appendf(nil, `{"event":"buy","deviceId":"d","x":"%s"}`, strings.Repeat("x", size)),
		})
	}
	r.send(records)
	r.post(2)
	r.settle()
	checkRows(t, server, r.posted+1)
	if got := quarantined(t, server); !equal(got, []string{"e1-3-1"}) {
		t.Errorf("quarantined %v", got)
	}
	if list := r.observed(); len(list) != 1 || list[0].Class != "quarantine" {
		t.Errorf("incidents %v, want one of the quarantine", list)
	}
}
