//go:build cgo

package duckdb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// typingFaults are expressions that raise, by the kind of their error.
var typingFaults = map[string]string{
	"Conversion Error":    "cast(eventId as double)",
	"Out of Range Error":  "cast(9223372036854775807 + length(eventId) as double)",
	"Invalid Input Error": "cast(error(eventId) as double)",
}

// loadMarked loads a batch as the loader does: rows that are named are marked.
func loadMarked(t testing.TB, w warehouse.Warehouse, b *warehouse.Batch) (marked []warehouse.RowError) {
	t.Helper()
	for range 3 {
		err := w.Load(t.Context(), b)
		if err == nil {
			return marked
		}
		rows, named := errors.AsType[*warehouse.RowsError](err)
		if !named {
			t.Fatal(err)
		}
		for _, bad := range rows.Rows {
			b.Raw[bad.Row].Typing = bad.Typing
		}
		marked = append(marked, rows.Rows...)
	}
	t.Fatal("the batch is refused again and again")
	return nil
}

// failFor makes the column of property n raise for events of these ids and, if core
// is set, the column deviceId, too.
func failFor(fault string, core bool, ids ...string) func(string, warehouse.Typing) string {
	return func(query string, typing warehouse.Typing) string {
		when := "case when eventId in ('" + strings.Join(ids, "', '") + "') then "
		switch {
		case typing == warehouse.TypedFully:
			return fmt.Sprintf(`select * replace (%s%s else "properties.n" end as "properties.n") from (%s)`, when, fault, query)
		case typing == warehouse.TypedCore && core:
			return fmt.Sprintf(`select * replace (%scast(%s as varchar) else deviceId end as deviceId) from (%s)`, when, fault, query)
		}
		return query
	}
}

func typingBatch(seq uint64, n int) *warehouse.Batch {
	b := rows(seq, n)
	for i := range b.Raw {
		b.Raw[i].EventID = fmt.Sprintf("id-%d-%d", seq, i)
		b.Raw[i].Event = "e"
		b.Raw[i].Data = fmt.Sprintf(`{"event":"e","deviceId":"device","properties":{"n":%d}}`, i)
	}
	return b
}

// typed says what raw_normalized has of the events of a message: how many, with a
// device, with the property.
func typed(t testing.TB, w warehouse.Warehouse, where string) string {
	t.Helper()
	result, err := w.Query(t.Context(), "select count(*), count(deviceId), count(n) from raw_normalized where "+where, warehouse.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(result.Rows[0])
}

func TestRowsThatCannotBeTypedHaveNULLs(t *testing.T) {
	plan := []warehouse.Column{{Name: "n", Property: "n", Type: warehouse.TypeNumber}}
	for kind, fault := range typingFaults {
		for _, core := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/core %t", kind, core), func(t *testing.T) {
				w := reopened(t, t.TempDir())
				duckdb.SetFillRows(w, 300)
				if err := w.ApplyViews(t.Context(), plan, false); err != nil {
					t.Fatal(err)
				}
				bad := []string{"id-2-0", "id-2-77", "id-2-299"}
				duckdb.SetTyping(w, failFor(fault, core, bad...))
				wantTyping, devices := warehouse.TypedCore, 300
				if core {
					wantTyping, devices = warehouse.TypedStored, 297
				}
				for seq := range uint64(3) {
					marked := loadMarked(t, w, typingBatch(seq+1, 300))
					if seq != 1 {
						if len(marked) != 0 {
							t.Errorf("rows are marked that are sound: %+v", marked)
						}
						continue
					}
					for i, row := range []int{0, 77, 299} {
						want := warehouse.RowError{Row: row, Reason: kind, Typing: wantTyping}
						if len(marked) != 3 || marked[i] != want {
							t.Fatalf("marked %+v, want three, one of them %+v", marked, want)
						}
					}
				}
				if got, want := typed(t, w, "receipt like 'full-2-%'"), fmt.Sprintf("[300 %d 297]", devices); got != want {
					t.Errorf("the message has %s, want %s", got, want)
				}
				if got := typed(t, w, "receipt not like 'full-2-%'"); got != "[600 600 600]" {
					t.Errorf("the others have %s", got)
				}
				if err := w.ApplyViews(t.Context(), []warehouse.Column{{Name: "m", Property: "n", Type: warehouse.TypeString}}, false); err != nil {
					t.Fatal(err)
				}
				var untyped []warehouse.UntypedRow
				for left := int64(1); left > 0; {
					progress, err := w.(warehouse.Backfiller).Backfill(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					left, untyped = progress.Left, append(untyped, progress.Untyped...)
				}
				if got, want := fmt.Sprint(untyped), fmt.Sprintf("[{full-2-0 %[1]s} {full-2-77 %[1]s} {full-2-299 %[1]s}]", kind); got != want {
					t.Errorf("the backfill says %s, want %s", got, want)
				}
				if got, want := typed(t, w, "true"), fmt.Sprintf("[900 %d 897]", devices+600); got != want {
					t.Errorf("after the backfill: %s, want %s", got, want)
				}
			})
		}
	}
}

func TestSearchForRowsThatCannotBeTypedIsBounded(t *testing.T) {
	w := reopened(t, t.TempDir())
	if err := w.ApplyViews(t.Context(), []warehouse.Column{{Name: "n", Property: "n", Type: warehouse.TypeNumber}}, false); err != nil {
		t.Fatal(err)
	}
	probes := 0
	duckdb.SetTyping(w, func(query string, typing warehouse.Typing) string {
		probes++
		if typing == warehouse.TypedFully {
			query = `select * replace (error('all') as "properties.n") from (` + query + ")"
		}
		return query
	})
	b := typingBatch(1, 20_000)
	if marked := loadMarked(t, w, b); len(marked) != 20_000 {
		t.Errorf("%d rows are marked", len(marked))
	}
	if probes > 600 {
		t.Errorf("%d statements for one batch", probes)
	}
	// A statement that cannot even be planned is not tried on parts of the batch.
	probes = 0
	duckdb.SetTyping(w, func(query string, typing warehouse.Typing) string {
		probes++
		if typing == warehouse.TypedFully {
			query = "select *, no_such_column from (" + query + ")"
		}
		return query
	})
	if marked := loadMarked(t, w, typingBatch(2, 20_000)); len(marked) != 20_000 || probes > 3 {
		t.Errorf("%d rows are marked with %d statements", len(marked), probes)
	}
	if got := typed(t, w, "true"); got != "[40000 40000 0]" {
		t.Errorf("raw_normalized has %s", got)
	}
}

// Errors of another kind than the rows' mark none.
func TestInterruptedTypingMarksNoRow(t *testing.T) {
	w := reopened(t, t.TempDir())
	duckdb.SetTyping(w, func(query string, _ warehouse.Typing) string {
		return "select * from (" + query + ") where (select count(*) from range(100000000000) as a) > 0"
	})
	done := make(chan error, 1)
	go func() { done <- w.Load(t.Context(), typingBatch(1, 10)) }()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("it was loaded")
	} else if _, named := errors.AsType[*warehouse.RowsError](err); named {
		t.Errorf("rows are named: %v", err)
	}
}

// FuzzTypedEvents loads any payload: raw_normalized has a row for each usable event.
// Each payload is loaded twice: as what intake makes of it, and as if it were usable.
func FuzzTypedEvents(f *testing.F) {
	for _, value := range values {
		f.Add([]byte(`{"event":"e","deviceId":"d","timestamp":`+value+`,"properties":{"a":`+value+`,"count":`+value+`},"context":{"page":`+value+`,"sessionId":`+value+`}}`), `{"sentAt":`+value+`}`)
		f.Add([]byte(value), value)
	}
	f.Add([]byte(`{"event":"sparrow:lost","deviceId":"d","properties":{"count":1e400}}`), "")
	f.Add([]byte(`{"event":"e","deviceId":"d","timestamp":"290308-12-21 (BC) 00:00:00","properties":[]}`), `{"sentAt":"infinity"}`)
	f.Add([]byte("{\"event\":\"e\xff\",\"deviceId\":\"\x00\"}"), "\x00")
	f.Add([]byte(`{"event":"e","event":2,"deviceId":"d","properties":{"a":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000)+`}}`), "{}")
	dir := f.TempDir()
	w, err := open(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = w.Close() })
	if err := errors.Join(w.Prepare(f.Context())); err != nil {
		f.Fatal(err)
	}
	var plan []warehouse.Column
	for _, kind := range []warehouse.Type{warehouse.TypeString, warehouse.TypeInteger, warehouse.TypeNumber, warehouse.TypeBoolean, warehouse.TypeTimestamp, warehouse.TypeJSON} {
		plan = append(plan, warehouse.Column{Name: "a_" + string(kind), Property: "a", Type: kind})
	}
	if err := w.ApplyViews(f.Context(), plan, false); err != nil {
		f.Fatal(err)
	}
	seq := uint64(0)
	f.Fuzz(func(t *testing.T, data []byte, context string) {
		seq++
		r := event.Record{Receipt: event.Receipt{Epoch: "fuzz", Position: event.Position{Seq: seq}}, Source: "web", EventID: "id", Data: data}
		want := 1
		if _, err := event.Inspect(data); err != nil {
			r.Context.Invalid = err.Error()
		} else {
			want = 2
		}
		b := &warehouse.Batch{Events: warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: "fuzz", Next: event.Position{Seq: seq + 1}}}
		for i := range uint32(2) {
			r.Receipt.Index = i
			row, err := warehouse.NewRawRow(&r)
			if err != nil {
				t.Fatal(err)
			}
			row.Usable = row.Usable || i == 1
			row.Context = strings.ToValidUTF8(context, "?")
			b.Raw = append(b.Raw, row)
		}
		// A load that names a row is a value that raises: it costs time, and is to
		// be mended in the expression.
		if err := w.Load(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		result, err := w.Query(t.Context(), "select count(*) from raw_normalized where receipt in ($1, $2)", warehouse.Limits{}, b.Raw[0].Receipt.String(), b.Raw[1].Receipt.String())
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(result.Rows[0][0]); got != fmt.Sprint(want) {
			t.Errorf("raw_normalized has %s rows, want %d", got, want)
		}
	})
}
