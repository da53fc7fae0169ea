package warehousetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Opener opens the warehouse that lives in a directory, or makes it.
type Opener func(dir string) (warehouse.Warehouse, error)

// Harness is what the suite needs of an adapter.
type Harness struct {
	Open   Opener
	MaxRow int  // bytes of data beyond which a row is refused
	Serial bool // one part of the suite at a time
	// Ahead says that rows of raw and deliveries may be there before the stream
	// positions say so: the warehouse has no transaction over its tables.
	Ahead bool
	// Results is a query for the part of that name, where the warehouse's SQL
	// has no names with quotes; its third column is odd_name.
	Results string
	// Histories is how many random histories are reconciled. Default 5.
	Histories int
}

// Check is one part of the suite.
type Check struct {
	Name string
	Run  func(t testing.TB, h Harness)
}

// Checks are all parts of the suite.
func Checks() []Check {
	return []Check{
		{"bytes", checkBytes},
		{"once", checkOnce},
		{"marks", checkMarks},
		{"reopen", checkReopen},
		{"kill", checkKill},
		{"cancel", checkCancel},
		{"types", checkTypes},
		{"hostile names", checkHostileNames},
		{"columns grow", checkColumnsGrow},
		{"event time", checkEventTime},
		{"translated", checkTranslated},
		{"reconciliation", checkReconciliation},
		{"lost event shows", checkLostEvent},
		{"lives of a lane", checkLives},
		{"replaced journal", checkReplacedJournal},
		{"browser losses", checkBrowserLosses},
		{"names overflow", checkNamesOverflow},
		{"retention", checkRetention},
		{"quarantine", checkQuarantine},
		{"find", checkFind},
		{"query while loading", checkQueryWhileLoading},
		{"unsafe queries", checkUnsafeQueries},
		{"results", checkResults},
		{"limits", checkLimits},
		{"plans", checkPlans},
	}
}

// Run runs the whole suite, its parts side by side.
func Run(t *testing.T, h Harness) {
	for _, check := range Checks() {
		t.Run(check.Name, func(t *testing.T) {
			if !h.Serial {
				t.Parallel()
			}
			check.Run(t, h)
		})
	}
}

// day is the receipt day of most of the suite's records: recent, so that no
// warehouse thinks them too old to store.
func day() time.Time { return warehouse.Day(time.Now()).AddDate(0, 0, -3) }

const epoch = "e1"

// at is a receipt of the suite's epoch.
func at(seq uint64, index uint32) event.Receipt {
	return event.Receipt{Epoch: epoch, Position: event.Position{Seq: seq, Index: index}}
}

// prepared opens a new warehouse that is closed with the test.
func prepared(t testing.TB, h Harness) warehouse.Warehouse {
	t.Helper()
	return open(t, h, t.TempDir())
}

func open(t testing.TB, h Harness, dir string) warehouse.Warehouse {
	t.Helper()
	w, err := h.Open(dir)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := w.Prepare(t.Context()); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	return w
}

// record is a sound record of an event.
func record(receipt event.Receipt, data string) event.Record {
	return event.Record{
		Receipt: receipt, ReceivedAt: day().Add(time.Hour), Source: "shop", EventID: "id-" + receipt.String(), Data: []byte(data),
	}
}

// batch holds records and leads to next.
func batch(t testing.TB, next event.Position, records ...event.Record) *warehouse.Batch {
	t.Helper()
	b := &warehouse.Batch{Events: warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: epoch, Next: next}}
	for i := range records {
		row, err := warehouse.NewRawRow(&records[i])
		if err != nil {
			t.Fatalf("make row: %v", err)
		}
		b.Raw = append(b.Raw, row)
	}
	return b
}

func load(t testing.TB, w warehouse.Warehouse, b *warehouse.Batch) {
	t.Helper()
	if err := w.Load(t.Context(), b); err != nil {
		t.Fatalf("load: %v", err)
	}
}

// ask runs a query that must succeed and be whole.
func ask(t testing.TB, w warehouse.Warehouse, query string, args ...any) [][]any {
	t.Helper()
	result, err := w.Query(context.WithoutCancel(t.Context()), query, warehouse.Limits{Time: 5 * time.Minute, Rows: 1_000_000}, args...)
	if err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
	if result.Truncated {
		t.Fatalf("query %s: truncated", query)
	}
	return result.Rows
}

// number is the only value of a query, a whole number.
func number(t testing.TB, w warehouse.Warehouse, query string, args ...any) int64 {
	t.Helper()
	rows := ask(t, w, query, args...)
	if len(rows) != 1 || len(rows[0]) != 1 {
		t.Fatalf("query %s: %d rows, want one value", query, len(rows))
	}
	n, err := integer(rows[0][0])
	if err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
	return n
}

func integer(v any) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%v (%T) is no number", v, v)
	}
	return n.Int64()
}

// same compares what a query returned, as text, with what is expected.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
