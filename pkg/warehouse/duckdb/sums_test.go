//go:build cgo

package duckdb_test

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// tamper runs statements in the file of a directory that no process has open.
func tamper(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(dir, "sparrow.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// loaded is a directory whose warehouse has events with outcomes.
func loaded(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	w := reopened(t, dir)
	for seq := range uint64(3) {
		if err := w.Load(t.Context(), message(t, seq+1, 100, true)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func reopened(t *testing.T, dir string) warehouse.Warehouse {
	t.Helper()
	w, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := w.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// backfill makes what is made of other tables, to the end.
func backfill(t *testing.T, w warehouse.Warehouse) {
	t.Helper()
	for left := int64(1); left > 0; {
		progress, err := w.(warehouse.Backfiller).Backfill(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left = progress.Left
	}
}

func reconciled(t *testing.T, w warehouse.Warehouse) [][]any {
	t.Helper()
	result, err := w.Query(t.Context(), "select day, source, event, tracker, accepted, delivered, pending, unaccounted from reconciliation order by all", warehouse.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return result.Rows
}

func verified(t *testing.T, w warehouse.Warehouse) (differences []warehouse.SumDifference) {
	t.Helper()
	days, err := w.(warehouse.SumKeeper).SumDays(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range days {
		found, err := w.(warehouse.SumKeeper).VerifySums(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		differences = append(differences, found...)
	}
	return differences
}

func TestVerifyFindsSumsThatDisagreeWithTheRows(t *testing.T) {
	dir := loaded(t)
	tamper(t, dir,
		"update sums set n = n + 1 where event = 'event 3' and tracker = 'tracker1' and outcome = 'delivered'",
		"delete from sums where event = 'event 4' and tracker = 'tracker2' and outcome = 'accepted'",
		"insert into sums select day, source, 'event 5', tracker, 'expired', 'made up', 7 from sums where event = 'event 5' and tracker = 'tracker0' and outcome = 'accepted'",
	)
	differences := verified(t, reopened(t, dir))
	type difference struct {
		Event, Tracker, Outcome string
		Kept, Counted           int64
	}
	var got []difference
	for _, d := range differences {
		got = append(got, difference{d.Event, d.Tracker, d.Outcome, d.Kept, d.Counted})
	}
	want := []difference{{"event 3", "tracker1", "delivered", 16, 15}, {"event 4", "tracker2", "accepted", 0, 15}, {"event 5", "tracker0", "expired", 7, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSumsOfAnEarlierReleaseAreCountedBesideLoading(t *testing.T) {
	dir := loaded(t)
	before := reopened(t, dir)
	want := reconciled(t, before)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, dir, "drop view reconciliation", "drop table sums", "drop table counted_days")
	w := reopened(t, dir)
	if err := w.Load(t.Context(), message(t, 4, 100, true)); err != nil { // of a day that is not counted yet
		t.Fatal(err)
	}
	backfill(t, w)
	if differences := verified(t, w); len(differences) != 0 {
		t.Errorf("differences %v", differences)
	}
	got := reconciled(t, w)
	same := slices.EqualFunc(got, want, func(a, b []any) bool { return cmp.Equal(a[:4], b[:4]) })
	if len(got) != 60 || !same {
		t.Errorf("%d groups, want the %d of before", len(got), len(want))
	}
	for _, row := range got {
		if row[6] != json.Number("0") || row[7] != json.Number("0") || row[4] == want[0][4] {
			t.Errorf("row %v: want what was loaded meanwhile, and nothing pending or unaccounted", row)
		}
	}
}
