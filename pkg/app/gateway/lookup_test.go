package gateway

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// summing is a warehouse that keeps sums: of each day one that is wrong.
type summing struct {
	warehouse.Warehouse
	days []time.Time
	err  error
}

func (s summing) CountNextDay(context.Context) (int, error)    { return 0, nil }
func (s summing) SumDays(context.Context) ([]time.Time, error) { return s.days, nil }
func (s summing) VerifySums(_ context.Context, day time.Time) ([]warehouse.SumDifference, error) {
	return []warehouse.SumDifference{{Day: day, Source: "web", Kept: 2, Counted: 1}}, s.err
}

func TestVerifyCountsTheDaysAskedFor(t *testing.T) {
	day := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	store := summing{days: []time.Time{day.AddDate(0, 0, -2), day.AddDate(0, 0, -1), day}}
	v, err := lookup{store: store}.Verify(t.Context(), day.Add(-time.Minute)) // within the day before
	if err != nil || !v.KeepsSums || v.Days != 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	var got []any
	for _, row := range v.Differences.Rows {
		if len(row) != len(v.Differences.Columns) {
			t.Errorf("row %v of columns %v", row, v.Differences.Columns)
		}
		got = append(got, row[0])
	}
	if diff := cmp.Diff([]any{"2026-11-02", "2026-11-03"}, got); diff != "" {
		t.Error(diff)
	}
	store.err = errors.New("away")
	if _, err := (lookup{store: store}).Verify(t.Context(), day); !errors.Is(err, store.err) {
		t.Errorf("error %v", err)
	}
}

func TestVerifyWithoutSums(t *testing.T) {
	v, err := lookup{store: &closing{}}.Verify(t.Context(), time.Now())
	if err != nil || v.KeepsSums || v.Days != 0 || v.Differences.Rows == nil {
		t.Errorf("%+v, %v", v, err)
	}
}
