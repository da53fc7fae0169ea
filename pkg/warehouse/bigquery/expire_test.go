package bigquery_test

import (
	"fmt"
	"testing"
	"time"

	rest "cloud.google.com/go/bigquery"
	"google.golang.org/api/option"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// TestExpireDeletesReplacedCommitsAndLanes: commits and lanes' states that newer ones replaced are deleted
// after a while; what holds is never deleted, however old it is.
func TestExpireDeletesReplacedCommitsAndLanes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, err := openEmulated(dir)
	must(t, err)
	defer w.Close()
	must(t, w.Prepare(t.Context()))
	now := time.Now().UTC().Truncate(time.Second)
	old := now.Add(-72 * time.Hour)
	reported := map[string][]time.Time{"ga4": {old, old, now}, "heap": {old, old}}
	var seq uint64
	for _, tracker := range []string{"ga4", "heap"} {
		for _, at := range reported[tracker] {
			seq++
			b := &warehouse.Batch{Outcomes: warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: seq + 1}}}
			b.AddCheckpoint(seq, &event.Checkpoint{Tracker: tracker, Epoch: epoch, Time: at, Watermark: event.Position{Seq: seq}})
			must(t, w.Load(t.Context(), b))
		}
	}
	change(t, dir, "update sparrow.positions_log set loaded = timestamp_sub(loaded, interval 72 hour) where true")

	lanes := "select tracker, markSeq, reported from lanes order by tracker"
	before := answered(t, w, lanes)
	must(t, w.Expire(t.Context(), now.AddDate(-1, 0, 0)))
	if after := answered(t, w, lanes); after != before {
		t.Errorf("lanes: %s, before %s", after, before)
	}
	if got := answered(t, w, "select tracker, count(*) as n from lanes_log group by tracker order by tracker"); got != "[[ga4 1] [heap 1]]" {
		t.Errorf("lanes_log: %s", got)
	}
	if got := answered(t, w, "select count(*) as n from positions_log"); got != "[[1]]" {
		t.Errorf("positions_log: %s", got)
	}
	must(t, w.Close())
	w, err = openEmulated(dir)
	must(t, err)
	defer w.Close()
	must(t, w.Prepare(t.Context()))
	positions, err := w.Positions(t.Context())
	must(t, err)
	if len(positions) != 1 || positions[0].Next.Seq != seq+1 {
		t.Errorf("positions %v, want one at %d", positions, seq+1)
	}
}

// answered is the answer to a query, as text.
func answered(t *testing.T, w warehouse.Warehouse, query string) string {
	t.Helper()
	result, err := w.Query(t.Context(), query, warehouse.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return fmt.Sprint(result.Rows)
}

// change runs a statement that changes rows, which Query refuses.
func change(t *testing.T, dir, statement string) {
	t.Helper()
	config, err := processes.config(dir)
	must(t, err)
	client, err := rest.NewClient(t.Context(), config.Project, option.WithEndpoint(config.Endpoint+"/bigquery/v2/"), option.WithoutAuthentication())
	must(t, err)
	defer client.Close()
	_, err = client.Query(statement).Read(t.Context())
	must(t, err)
}
