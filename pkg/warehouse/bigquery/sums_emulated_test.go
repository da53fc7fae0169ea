package bigquery_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
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
	defer w.Close()
	must(t, w.Prepare(t.Context()))
	if got := answered(t, w, "select event, accepted, delivered from reconciliation"); got != "[]" {
		t.Errorf("before the sums are counted: %s", got)
	}
	must(t, w.Load(t.Context(), messages(t, 4, 6)))
	for left := int64(1); left > 0; {
		left, err = w.(warehouse.Backfiller).Backfill(t.Context())
		must(t, err)
	}
	must(t, w.Load(t.Context(), messages(t, 6, 7)))
	if got := answered(t, w, "select event, accepted, delivered, filtered, unaccounted from reconciliation"); got != "[[buy 18 12 6 0]]" {
		t.Errorf("the reconciliation is %s", got)
	}
	verified(t, w, 2) // the day before has no rows
}
