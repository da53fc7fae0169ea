package bigquery_test

import (
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/emulatortest"
)

// TestWrongSumIsFound: a sum that was changed by hand is found, and only that.
func TestWrongSumIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, err := openEmulated(dir)
	must(t, err)
	defer w.Close()
	must(t, w.Prepare(t.Context()))
	must(t, w.Load(t.Context(), messages(t, 1, 4)))
	verified(t, w, 1)
	change(t, dir, `update sparrow.positions_log set sums = replace(sums, ',9]', ',10]') where sums is not null`)
	keeper := w.(warehouse.SumKeeper)
	days, err := keeper.SumDays(t.Context())
	must(t, err)
	list, err := keeper.VerifySums(t.Context(), days[0])
	must(t, err)
	want := warehouse.SumDifference{Day: days[0], Source: "shop", Event: "buy", Tracker: "ga4", Outcome: "accepted", Kept: 10, Counted: 9}
	if len(list) != 1 || list[0] != want {
		t.Errorf("differences %+v, want %+v", list, want)
	}
}

// TestSumsOfAnEarlierRelease: the commits of an earlier release say nothing of sums,
// and its deliveries not what they are of. The newest days are counted beside
// loading, and the sums are kept from then on; until then the days are not shown.
func TestSumsOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	w := earlierRelease(t)
	if got := answered(t, w, "select event, accepted, delivered from reconciliation"); got != "[]" {
		t.Errorf("before the sums are counted: %s", got)
	}
	must(t, w.Load(t.Context(), messages(t, 4, 6)))
	if got := answered(t, w, "select event from sums"); got != "[]" {
		t.Errorf("before the sums are counted: %s", got)
	}
	for left := int64(1); left > 0; {
		done, err := w.(warehouse.Backfiller).Backfill(t.Context())
		must(t, err)
		left = done.Left
	}
	must(t, w.Load(t.Context(), messages(t, 6, 7)))
	if got := answered(t, w, "select event, accepted, delivered, filtered, unaccounted from reconciliation"); got != "[[buy 18 12 6 0]]" {
		t.Errorf("the reconciliation is %s", got)
	}
	verified(t, w, 2) // the day before has no rows
}

// TestOldDaysAreCountedOnRequest: a day that an earlier release loaded is told, with
// the bytes that counting it would read, until it is counted.
func TestOldDaysAreCountedOnRequest(t *testing.T) {
	t.Parallel()
	w := earlierRelease(t)
	counter := w.(warehouse.DayCounter)
	for _, want := range []int{1, 0} {
		days, err := counter.UncountedDays(t.Context(), time.Now().AddDate(0, 0, -9))
		must(t, err)
		if len(days) != want {
			t.Fatalf("%d days are uncounted, want %d", len(days), want)
		}
		for _, d := range days {
			if d.Bytes != emulatortest.DryRunBytes {
				t.Errorf("counting %s would read %d bytes", d.Day, d.Bytes)
			}
			must(t, counter.CountDay(t.Context(), d.Day))
		}
	}
	if got := answered(t, w, "select event, accepted, delivered, filtered, unaccounted from reconciliation"); got != "[[buy 9 6 3 0]]" {
		t.Errorf("the reconciliation is %s", got)
	}
	verified(t, w, 1)
}

// earlierRelease opens a warehouse into which a release without sums loaded three
// messages.
func earlierRelease(t *testing.T) warehouse.Warehouse {
	t.Helper()
	dir := t.TempDir()
	w, err := openEmulated(dir)
	must(t, err)
	must(t, w.Prepare(t.Context()))
	must(t, w.Load(t.Context(), messages(t, 1, 4)))
	must(t, w.Close())
	change(t, dir, `update sparrow.positions_log set sums = null, state = regexp_replace(state, ',"sums":.*$', '}') where true`)
	change(t, dir, `update sparrow.deliveries set source = null, event = null where true`)
	w, err = openEmulated(dir)
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	must(t, w.Prepare(t.Context()))
	return w
}
