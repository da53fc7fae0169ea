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

// TestCompactDeletesReplacedCommitsAndLanes: commits and lanes' states that newer ones replaced are deleted
// after a while; what holds is never deleted, however old it is.
func TestCompactDeletesReplacedCommitsAndLanes(t *testing.T) {
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
	must(t, w.(warehouse.Compacter).Compact(t.Context()))
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

// TestCompactFoldsSums: the sums are the same before and after they are folded, however
// often, and while later commits add to them; the commits that are in them are deleted.
func TestCompactFoldsSums(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, err := openEmulated(dir)
	must(t, err)
	defer w.Close()
	must(t, w.Prepare(t.Context()))
	compact := func() { must(t, w.(warehouse.Compacter).Compact(t.Context())) }
	sums := func(messages int) {
		t.Helper()
		want := fmt.Sprintf("[[shop buy ga4 accepted  %d] [shop buy ga4 delivered  %d]]", 3*messages, 2*messages)
		if got := answered(t, w, "select source, event, tracker, outcome, reason, n from sums order by outcome"); got != want {
			t.Errorf("sums %s, want %s", got, want)
		}
	}
	logged := func(table string, n int) {
		t.Helper()
		if got, want := answered(t, w, "select count(*) as n from "+table), fmt.Sprintf("[[%d]]", n); got != want {
			t.Errorf("%s: %s rows, want %s", table, got, want)
		}
	}
	compact() // there is nothing yet
	must(t, w.Load(t.Context(), messages(t, 1, 3)))
	sums(2)
	compact()
	compact() // nothing has changed since
	sums(2)
	logged("sums_log", 3) // two sums, and where the day begins
	must(t, w.Load(t.Context(), messages(t, 3, 6)))
	sums(5)
	compact()
	must(t, w.Load(t.Context(), messages(t, 6, 8)))
	sums(7)
	logged("sums_log", 6)
	change(t, dir, "update sparrow.positions_log set loaded = timestamp_sub(loaded, interval 3 hour) where true")
	change(t, dir, "update sparrow.sums_log set folded = timestamp_sub(folded, interval 3 hour) where true")
	compact()
	sums(7)
	logged("sums_log", 3) // two sums, and where the day begins
	logged("positions_log", 1)
	verified(t, w, 1)
	for seq, want := range map[uint64]time.Time{0: {}, 1: warehouse.Day(time.Now()).AddDate(0, 0, -1), 7: warehouse.Day(time.Now()).AddDate(0, 0, -1)} {
		day, err := w.(warehouse.DayFinder).DayOf(t.Context(), event.Receipt{Epoch: epoch, Position: event.Position{Seq: seq}})
		if err != nil || !day.Equal(want) {
			t.Errorf("the day of record %d is %s, error %v, want %s", seq, day, err, want)
		}
	}
}

// verified: the sums of so many days agree with the rows.
func verified(t *testing.T, w warehouse.Warehouse, want int) {
	t.Helper()
	days, err := w.(warehouse.SumKeeper).SumDays(t.Context())
	must(t, err)
	if len(days) != want {
		t.Errorf("the sums of %d days are kept, want %d", len(days), want)
	}
	for _, day := range days {
		list, err := w.(warehouse.SumKeeper).VerifySums(t.Context(), day)
		must(t, err)
		if len(list) > 0 {
			t.Errorf("%d sums of %s differ from the rows, the first: %+v", len(list), day.Format(time.DateOnly), list[0])
		}
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
