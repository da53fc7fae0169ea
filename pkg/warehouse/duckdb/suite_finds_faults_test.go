//go:build cgo

package duckdb_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// twin is the adapter with one fault built in.
type twin struct {
	warehouse.Warehouse
	load  func(ctx context.Context, w warehouse.Warehouse, b *warehouse.Batch) error
	marks func([]warehouse.StreamPosition) []warehouse.StreamPosition
	apply func(columns []warehouse.Column, drop bool) ([]warehouse.Column, bool)
	query func(ctx context.Context, w warehouse.Warehouse, query string, limits warehouse.Limits, args []any) (*warehouse.Result, error)
	names func([]string) []string
	keep  bool // expires nothing
}

func (t *twin) Load(ctx context.Context, b *warehouse.Batch) error {
	if t.load == nil {
		return t.Warehouse.Load(ctx, b)
	}
	return t.load(ctx, t.Warehouse, b)
}

func (t *twin) Positions(ctx context.Context) ([]warehouse.StreamPosition, error) {
	marks, err := t.Warehouse.Positions(ctx)
	if t.marks != nil {
		marks = t.marks(marks)
	}
	return marks, err
}

func (t *twin) Names(ctx context.Context, day time.Time, source string) ([]string, error) {
	names, err := t.Warehouse.Names(ctx, day, source)
	if t.names != nil {
		names = t.names(names)
	}
	return names, err
}

func (t *twin) ApplyViews(ctx context.Context, columns []warehouse.Column, drop bool) error {
	if t.apply != nil {
		columns, drop = t.apply(columns, drop)
	}
	return t.Warehouse.ApplyViews(ctx, columns, drop)
}

func (t *twin) Query(ctx context.Context, query string, limits warehouse.Limits, args ...any) (*warehouse.Result, error) {
	if t.query == nil {
		return t.Warehouse.Query(ctx, query, limits, args...)
	}
	return t.query(ctx, t.Warehouse, query, limits, args)
}

func (t *twin) Expire(ctx context.Context, before time.Time) error {
	if t.keep {
		return nil
	}
	return t.Warehouse.Expire(ctx, before)
}

// changed loads a changed copy of each batch.
func changed(change func(b *warehouse.Batch)) twin {
	return twin{load: func(ctx context.Context, w warehouse.Warehouse, b *warehouse.Batch) error {
		copied := *b
		copied.Raw = append([]warehouse.RawRow(nil), b.Raw...)
		copied.Deliveries = append([]warehouse.DeliveryRow(nil), b.Deliveries...)
		copied.Filtered = append([]warehouse.FilteredRow(nil), b.Filtered...)
		copied.Lanes = append([]warehouse.LaneRow(nil), b.Lanes...)
		change(&copied)
		return w.Load(ctx, &copied)
	}}
}

// twins are broken, and which part of the suite must tell so.
var twins = []struct {
	name, check string
	twin        twin
}{
	{"doubles a row", "once", changed(func(b *warehouse.Batch) {
		if len(b.Raw) > 0 {
			b.Raw = append(b.Raw, b.Raw[len(b.Raw)-1])
		}
	})},
	{"drops a row", "once", changed(func(b *warehouse.Batch) { b.Raw = b.Raw[:max(0, len(b.Raw)-1)] })},
	{"changes bytes", "bytes", changed(func(b *warehouse.Batch) {
		for i := range b.Raw {
			b.Raw[i].Data = strings.TrimSpace(b.Raw[i].Data)
		}
	})},
	{"forgets positions", "marks", twin{marks: func([]warehouse.StreamPosition) []warehouse.StreamPosition { return nil }}},
	{"keeps no positions", "once", changed(func(b *warehouse.Batch) {
		b.Events.Epoch, b.Outcomes.Epoch = "", ""
	})},
	{"mixes epochs", "marks", changed(func(b *warehouse.Batch) {
		if b.Events.Epoch != "" {
			b.Events.Epoch = "e1"
		}
	})},
	{"stores half a batch", "query while loading", twin{load: func(ctx context.Context, w warehouse.Warehouse, b *warehouse.Batch) error {
		first, second := *b, *b
		first.Outcomes, first.Deliveries, first.Filtered, first.Leaks, first.Lanes = warehouse.StreamPosition{}, nil, nil, nil, nil
		second.Events, second.Raw, second.Names = warehouse.StreamPosition{}, nil, nil
		if err := w.Load(ctx, &first); err != nil {
			return err
		}
		return w.Load(ctx, &second)
	}}},
	{"stores outcomes without their events", "reopen", changed(func(b *warehouse.Batch) { b.Raw = nil })},
	{"loses parked events", "reconciliation", changed(func(b *warehouse.Batch) {
		for i := range b.Lanes {
			b.Lanes[i].Parked = nil
		}
	})},
	{"loses runs", "reconciliation", changed(func(b *warehouse.Batch) {
		for i := range b.Deliveries {
			b.Deliveries[i].Run = 0
		}
	})},
	{"takes duplicates for events", "reconciliation", changed(func(b *warehouse.Batch) {
		for i := range b.Raw {
			b.Raw[i].Duplicate = false
		}
	})},
	{"loses where lanes start", "reconciliation", changed(func(b *warehouse.Batch) {
		for i := range b.Lanes {
			b.Lanes[i].Start = event.Position{}
		}
	})},
	{"takes rejected for delivered", "reconciliation", changed(func(b *warehouse.Batch) {
		for i := range b.Deliveries {
			if b.Deliveries[i].Outcome == event.Rejected {
				b.Deliveries[i].Outcome = event.Delivered
			}
		}
	})},
	{"forgets names", "names overflow", twin{names: func([]string) []string { return nil }}},
	{"forgets columns", "columns grow", twin{apply: func(c []warehouse.Column, _ bool) ([]warehouse.Column, bool) { return c, true }}},
	{"never drops columns", "columns grow", twin{apply: func(c []warehouse.Column, _ bool) ([]warehouse.Column, bool) { return c, false }}},
	{"takes numbers for text", "types", twin{apply: func(columns []warehouse.Column, drop bool) ([]warehouse.Column, bool) {
		columns = append([]warehouse.Column(nil), columns...)
		for i := range columns {
			columns[i].Type = warehouse.TypeString
		}
		return columns, drop
	}}},
	{"expires nothing", "retention", twin{keep: true}},
	{"hides what it refuses", "quarantine", twin{load: func(ctx context.Context, w warehouse.Warehouse, b *warehouse.Batch) error {
		if rows, refused := w.Load(ctx, b).(*warehouse.RowsError); refused {
			rest := *b
			rest.Raw = append(append([]warehouse.RawRow(nil), b.Raw[:rows.Rows[0].Row]...), b.Raw[rows.Rows[0].Row+1:]...)
			return w.Load(ctx, &rest)
		}
		return nil
	}}},
	{"cuts silently", "limits", twin{query: func(ctx context.Context, w warehouse.Warehouse, query string, limits warehouse.Limits, args []any) (*warehouse.Result, error) {
		result, err := w.Query(ctx, query, limits, args...)
		if err == nil {
			result.Truncated = false
		}
		return result, err
	}}},
	{"runs the first of many statements", "unsafe queries", twin{query: func(ctx context.Context, w warehouse.Warehouse, query string, limits warehouse.Limits, args []any) (*warehouse.Result, error) {
		first, _, _ := strings.Cut(query, ";")
		return w.Query(ctx, first, limits, args...)
	}}},
}

// TestTwins shows that the suite finds each fault.
func TestTwins(t *testing.T) {
	for _, tt := range twins {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			broken := warehousetest.Harness{MaxRow: harness.MaxRow, Open: func(dir string) (warehouse.Warehouse, error) {
				w, err := open(dir)
				copied := tt.twin
				copied.Warehouse = w
				return &copied, err
			}}
			if !fails(t, tt.check, broken) {
				t.Errorf("the suite's %q passes an adapter that %s", tt.check, tt.name)
			}
		})
	}
}

// fails runs a part of the suite and reports whether it failed.
func fails(t *testing.T, check string, h warehousetest.Harness) bool {
	t.Helper()
	for _, c := range warehousetest.Checks() {
		if c.Name != check {
			continue
		}
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Run(r, h)
		}()
		<-done
		return r.failed.Load()
	}
	t.Fatalf("the suite has no part %q", check)
	return false
}

// recorder takes a part's failures for itself.
type recorder struct {
	testing.TB
	failed atomic.Bool
}

func (r *recorder) Errorf(string, ...any) { r.failed.Store(true) }
func (r *recorder) Error(...any)          { r.failed.Store(true) }
func (r *recorder) Fatalf(string, ...any) { r.FailNow() }
func (r *recorder) Fatal(...any)          { r.FailNow() }
func (r *recorder) FailNow() {
	r.failed.Store(true)
	runtime.Goexit()
}
