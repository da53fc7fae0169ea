package bigquery

import (
	"errors"
	"testing"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestCombineKeepsTheErrorThatLeavesMoreOpen: a refusal says exactly which rows
// are stored. So any later error replaces it, but for those that follow from it.
func TestCombineKeepsTheErrorThatLeavesMoreOpen(t *testing.T) {
	outOfRange, err := status.New(codes.OutOfRange, "offset").WithDetails(&storagepb.StorageError{Code: storagepb.StorageError_OFFSET_OUT_OF_RANGE})
	if err != nil {
		t.Fatal(err)
	}
	lost, late := errors.New("connection lost"), errors.New("late")
	refused := func(row int) error { return &refusal{map[int]string{row: "bad"}} }
	for _, c := range []struct {
		name         string
		first, later error
		rows         int   // of the refusal that remains; 0 if it is none
		want         error // if it is none
	}{
		{"the requests behind a refused one are out of range", refused(1), outOfRange.Err(), 1, nil},
		{"a request behind a refused one succeeds", refused(1), nil, 1, nil},
		{"two refusals are one", refused(1), refused(7), 2, nil},
		{"another error after a refusal", refused(1), lost, 0, lost},
		{"no error before it", nil, lost, 0, lost},
		{"no error", nil, nil, 0, nil},
		{"the first of two other errors", lost, late, 0, lost},
		{"a refusal after another error", lost, refused(1), 0, lost},
	} {
		got := combine(c.first, c.later)
		if r, ok := errors.AsType[*refusal](got); ok != (c.rows > 0) || ok && len(r.rows) != c.rows || !ok && got != c.want {
			t.Errorf("%s: %v, want a refusal of %d rows or %v", c.name, got, c.rows, c.want)
		}
	}
}

// TestGatherBoundsARequest: by bytes and by rows; a row that alone is larger goes
// alone; a table whose rows must go together has the limit of BigQuery.
func TestGatherBoundsARequest(t *testing.T) {
	for _, c := range []struct {
		name    string
		table   *table
		n, size int
		want    int
	}{
		{"small rows", &table{}, 100, 10, 100},
		{"many rows", &table{}, requestRows + 5, 1, requestRows},
		{"large rows", &table{}, 10, int(requestBytes) / 3, 3},
		{"a row above the limit", &table{}, 3, int(requestBytes) + 1, 1},
		{"rows that go together", &table{whole: true}, 8, int(requestBytes), 8},
	} {
		if rows := c.table.gather(0, c.n, func(int) []byte { return make([]byte, c.size) }); len(rows) != c.want {
			t.Errorf("%s: %d rows, want %d", c.name, len(rows), c.want)
		}
	}
}
