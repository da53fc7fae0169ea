//go:build cgo

package duckdb_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// sameAsRaw: raw_normalized has the rows, names and types that reading raw gives.
func sameAsRaw(t *testing.T, w warehouse.Warehouse, when string, columns []warehouse.Column) {
	t.Helper()
	query := func(from string) *warehouse.Result {
		result, err := w.Query(t.Context(), "select * from ("+from+") as v order by receipt", warehouse.Limits{Rows: 1_000_000})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		return result
	}
	want := query(warehouse.NormalizedView(duckdb.Dialect{}, columns).Select)
	if diff := cmp.Diff(want, query("select * from raw_normalized")); diff != "" || len(want.Rows) == 0 {
		t.Fatalf("%s: %d rows; raw_normalized differs from raw: %s", when, len(want.Rows), diff)
	}
}

// values have each kind of JSON value where a column expects another.
var values = [...]string{`"text"`, `17`, `1.10`, `-0`, `1e3`, `1e400`, `12345678901234567890123456789`, `0.0000000001`, `true`, `null`, `{"a":[1,{"b":2}]}`, `[]`,
	`"2026-11-20T10:00:00.123+01:00"`, `""`, `"\ud83d"`, `"17"`, `"true"`}

func variousMessage(t *testing.T, seq uint64) *warehouse.Batch {
	t.Helper()
	b := message(t, seq, 60, true)
	for i := range b.Raw {
		r := event.Record{
			Receipt: b.Raw[i].Receipt, ReceivedAt: b.Raw[i].Timestamp, Source: "dashboard", EventID: b.Raw[i].EventID, Duplicate: i%13 == 0,
			Data: fmt.Appendf(nil, `{"event":"e%d","deviceId":"d","timestamp":%s,"properties":{"a":%s,"b":%s,"c":%s},"context":{"page":{"path":"/p%d"},"sessionId":%s}}`,
				i%4, []string{`"2026-01-02T03:04:05Z"`, `"soon"`, `17`}[i%3], values[i%len(values)], values[(i+int(seq))%len(values)], values[(i*7)%len(values)], i%3, values[i%5]),
		}
		if i%17 == 0 {
			r.Context.Invalid = "properties: must be an object"
		}
		row, err := warehouse.NewRawRow(&r)
		if err != nil {
			t.Fatal(err)
		}
		b.Raw[i] = row
	}
	return b
}

func TestViewsGiveTheSameRowsWhileAPlanIsRefilled(t *testing.T) {
	dir := t.TempDir()
	w := reopened(t, dir)
	duckdb.SetFillRows(w, 100)
	apply := func(drop bool, columns ...warehouse.Column) {
		t.Helper()
		if err := w.ApplyViews(t.Context(), columns, drop); err != nil {
			t.Fatal(err)
		}
	}
	next := uint64(0)
	load := func() {
		t.Helper()
		next++
		if err := w.Load(t.Context(), variousMessage(t, next)); err != nil {
			t.Fatal(err)
		}
	}
	column := func(name, property string, kind warehouse.Type) warehouse.Column {
		return warehouse.Column{Name: name, Property: property, Type: kind}
	}
	plan := []warehouse.Column{column("a", "a", warehouse.TypeString)}
	apply(false, plan...)
	for range 5 {
		load()
	}
	sameAsRaw(t, w, "loaded", plan)

	for _, changed := range [][]warehouse.Column{
		{column("a", "a", warehouse.TypeNumber), column("b", "b", warehouse.TypeInteger)},                                                        // another type, a new property
		{column("a", "c", warehouse.TypeNumber), column("b", "b", warehouse.TypeInteger), column("day", "a", warehouse.TypeJSON)},                // another property
		{column("a", "c", warehouse.TypeBoolean), column("seq", "b", warehouse.TypeTimestamp), column("pageUrl", "a", warehouse.TypeString)},     // others dropped
		{column("A", "c", warehouse.TypeBoolean), column("epoch", "b", warehouse.TypeTimestamp), column("sessionId", "a", warehouse.TypeString)}, // another letter case
	} {
		plan = changed
		apply(true, plan...)
		sameAsRaw(t, w, "before the refill", plan)
		load()
		pieces := 0
		for left := int64(1); left > 0; pieces++ {
			progress, err := w.(warehouse.Backfiller).Backfill(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			left = progress.Left
			sameAsRaw(t, w, "during the refill", plan)
			if pieces == 1 { // it goes on where it stopped
				load()
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				w = reopened(t, dir)
				duckdb.SetFillRows(w, 100)
				sameAsRaw(t, w, "reopened during the refill", plan)
			}
		}
		if pieces < 3 {
			t.Errorf("%d pieces, want several", pieces)
		}
		result, err := w.Query(t.Context(), "select (select count(*) from events) - (select count(*) from raw where usable and not duplicate), (select count(*) from unfilled)", warehouse.Limits{})
		if err != nil || fmt.Sprint(result.Rows) != "[[0 0]]" {
			t.Errorf("rows too many, pieces left: %v, error %v", result, err)
		}
	}
}
