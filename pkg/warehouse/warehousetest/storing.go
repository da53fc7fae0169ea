package warehousetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// checkBytes: raw.data is what the client sent.
func checkBytes(t testing.TB, h Harness) {
	w := prepared(t, h)
	sent := []string{
		`{"n":12345678901234567890,"f":1.10,"e":1E400,"z":-0.0}`,
		"{ \"b\" :\t1 ,\r\n \"a\":2, \"a\":3 }",
		`{"event":"` + strings.Repeat("é😀", 50) + `","x":"\ud83d\u0000\u2028"}`,
		`{"quote":"' \" '' \\ ; drop table raw; --","$1":"?"}`,
		"not JSON at all \x00 \x1f \x7f",
		"",
		strings.Repeat(" ", 100_000),
	}
	b := batch(t, event.Position{Seq: 2})
	for i, data := range sent {
		b.Raw = append(b.Raw, batch(t, event.Position{}, record(at(1, uint32(i)), data)).Raw...)
	}
	binary := record(at(1, uint32(len(sent))), "\xff\xfe{\"event\":\"x\"}\x00")
	b.Raw = append(b.Raw, batch(t, event.Position{}, binary).Raw...)
	load(t, w, b)

	rows := ask(t, w, "select data, context, usable from raw order by seq, idx")
	if len(rows) != len(sent)+1 {
		t.Fatalf("%d rows, want %d", len(rows), len(sent)+1)
	}
	for i, data := range sent {
		if rows[i][0] != data {
			t.Errorf("row %d: got %q, want %q", i, rows[i][0], data)
		}
	}
	last := rows[len(sent)]
	same(t, "base64", last[0], base64.StdEncoding.EncodeToString(binary.Data))
	if text, _ := last[1].(string); !strings.Contains(text, `"encoding":"base64"`) {
		t.Errorf("context %v does not say that data is base64", last[1])
	}
	first := ask(t, w, "select eventId, timestamp, receipt, source, duplicate from raw where idx = 0")
	same(t, "other columns", first, [][]any{{"id-e1-1-0", day().Add(time.Hour).Format(time.RFC3339), "e1-1-0", "shop", false}})
}

// checkOnce: a batch loaded again, or one that overlaps, adds only what is new.
func checkOnce(t testing.TB, h Harness) {
	w := prepared(t, h)
	for _, span := range [][2]uint64{{1, 4}, {1, 4}, {3, 8}, {2, 3}, {8, 9}, {1, 9}} {
		load(t, w, span2batch(t, span[0], span[1]))
		seen := ask(t, w, "select count(*), count(distinct receipt) from raw")
		if len(seen) != 1 || seen[0][0] != seen[0][1] {
			t.Fatalf("after %v: rows and receipts differ: %v", span, seen)
		}
	}
	same(t, "raw", number(t, w, "select count(*) from raw"), 8*3)
	same(t, "deliveries", number(t, w, "select count(*) from deliveries"), 8)
	same(t, "distinct deliveries", number(t, w, "select count(distinct receipt) from deliveries"), 8)
	same(t, "filtered", number(t, w, "select cast(sum(count) as bigint) from filtered"), 8)
	same(t, "leaks", number(t, w, "select cast(sum(count) as bigint) from leaks"), 8*2)
	same(t, "lanes", ask(t, w, "select tracker, markSeq from lanes"), [][]any{{"ga4", 9}})
	same(t, "parked", ask(t, w, "select seq, idx from parked"), [][]any{{8, 2}})
	same(t, "names", number(t, w, "select count(*) from names"), 1)
}

// span2batch is what the journal holds from message first up to, not including,
// next: three records each, one delivered, one held back, one parked.
func span2batch(t testing.TB, first, next uint64) *warehouse.Batch {
	t.Helper()
	b := batch(t, event.Position{Seq: next})
	b.Names = []warehouse.NameRow{{Day: day(), Source: "shop", Event: "buy"}}
	b.Outcomes = warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: next}}
	for seq := first; seq < next; seq++ {
		for i := range uint32(3) {
			r := record(at(seq, i), fmt.Sprintf(`{"event":"buy","deviceId":"d","n":%d}`, seq))
			b.Raw = append(b.Raw, batch(t, event.Position{}, r).Raw...)
		}
		b.AddCheckpoint(seq, &event.Checkpoint{
			Tracker: "ga4", Epoch: epoch, Plan: "p1", Release: "v1", Time: day().Add(2 * time.Hour), Watermark: event.Position{Seq: seq + 1},
			Deliveries: []event.Delivery{{
				Position: event.Position{Seq: seq}, EventID: "x", Outcome: event.Delivered, Reason: "taken", Status: 204, Attempts: 1,
				Time: day().Add(2 * time.Hour), Latency: 12 * time.Millisecond, Day: day(),
			}},
			Filtered: []event.FilteredCount{{Day: day(), Source: "shop", Event: "buy", Reason: "event not in plan", Count: 1}},
			Leaks:    []event.Leak{{Day: day(), Source: "shop", Event: "buy", Property: "properties.note", Kind: "email", Count: 2}},
			Parked:   []event.Parked{{Position: event.Position{Seq: seq, Index: 2}, Due: day(), Since: day(), Attempts: 1}},
		})
	}
	return b
}

// checkMarks: positions are kept by stream and epoch; older receipts stay.
func checkMarks(t testing.TB, h Harness) {
	w := prepared(t, h)
	marks, err := w.Positions(t.Context())
	if err != nil || len(marks) != 0 {
		t.Fatalf("a new warehouse has marks %v, error %v", marks, err)
	}
	load(t, w, span2batch(t, 1, 5))
	other := &warehouse.Batch{Events: warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: "e2", Next: event.Position{Seq: 2, Index: 7}}}
	r := record(event.Receipt{Epoch: "e2", Position: event.Position{Seq: 1}}, `{}`)
	other.Raw = batch(t, event.Position{}, r).Raw
	load(t, w, other)
	marks, err = w.Positions(t.Context())
	if err != nil {
		t.Fatalf("marks: %v", err)
	}
	got := map[string]event.Position{}
	for _, m := range marks {
		got[string(m.Stream)+" "+m.Epoch] = m.Next
		if time.Since(m.Loaded).Abs() > time.Hour {
			t.Errorf("mark %v: loaded at %s", m, m.Loaded)
		}
	}
	same(t, "marks", got, map[string]event.Position{"events e1": {Seq: 5}, "outcomes e1": {Seq: 5}, "events e2": {Seq: 2, Index: 7}})
	same(t, "raw", number(t, w, "select count(*) from raw"), 4*3+1)
}

// checkReopen: what was loaded is there when the warehouse is opened again.
func checkReopen(t testing.TB, h Harness) {
	dir := t.TempDir()
	for i := range uint64(3) {
		w := open(t, h, dir)
		load(t, w, span2batch(t, 1, i*2+3))
		if err := w.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	w := open(t, h, dir)
	same(t, "raw", number(t, w, "select count(*) from raw"), 6*3)
	same(t, "deliveries", number(t, w, "select count(*) from deliveries"), 6)
	same(t, "filtered", number(t, w, "select cast(sum(count) as bigint) from filtered"), 6)
}

// checkCancel: a load whose context ends stores everything or nothing.
func checkCancel(t testing.TB, h Harness) {
	w := prepared(t, h)
	for i := range uint64(6) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*i)*time.Millisecond)
		err := w.Load(ctx, span2batch(t, i*100+1, i*100+101))
		cancel()
		rows, marks := number(t, w, "select count(*) from raw"), storedMark(t, w)
		if want := (marks - 1) * 3; uint64(rows) != want && !(h.Ahead && uint64(rows) > want) {
			t.Fatalf("load %d (error %v): %d rows, positions say %d", i, err, rows, (marks-1)*3)
		}
		load(t, w, span2batch(t, i*100+1, i*100+101))
	}
	same(t, "raw", number(t, w, "select count(*) from raw"), 600*3)
	same(t, "deliveries", number(t, w, "select count(*) from deliveries"), 600)
}

// storedMark is the sequence up to which events are loaded, 1 for nothing.
func storedMark(t testing.TB, w warehouse.Warehouse) uint64 {
	t.Helper()
	marks, err := w.Positions(t.Context())
	if err != nil {
		t.Fatalf("marks: %v", err)
	}
	for _, m := range marks {
		if m.Stream == warehouse.EventsStream && m.Epoch == epoch {
			return m.Next.Seq
		}
	}
	return 1
}

// checkQuarantine: a row that can never be stored is told, and the rest of its
// batch is stored.
func checkQuarantine(t testing.TB, h Harness) {
	w := prepared(t, h)
	huge := `{"event":"buy","deviceId":"d","x":"` + strings.Repeat("x", h.MaxRow) + `"}`
	b := batch(t, event.Position{Seq: 2}, record(at(1, 0), `{"event":"a","deviceId":"d"}`), record(at(1, 1), huge), record(at(1, 2), `{"event":"c","deviceId":"d"}`))
	err := w.Load(t.Context(), b)
	rows, ok := err.(*warehouse.RowsError)
	if !ok || len(rows.Rows) != 1 || rows.Rows[0].Row != 1 || rows.Rows[0].Reason == "" {
		t.Fatalf("load of an oversized row: %v, want a *RowsError that names row 1", err)
	}
	same(t, "raw before", number(t, w, "select count(*) from raw"), 0)
	b.Raw[1].Refused = rows.Rows[0].Reason
	load(t, w, b)
	same(t, "raw", ask(t, w, "select receipt, data is null, usable from raw order by idx"),
		[][]any{{"e1-1-0", false, true}, {"e1-1-1", true, false}, {"e1-1-2", false, true}})
	same(t, "quarantine", ask(t, w, "select receipt, eventId, source, reason, bytes from quarantine"),
		[][]any{{"e1-1-1", "id-e1-1-1", "shop", rows.Rows[0].Reason, len(huge)}})
	if err := w.ApplyViews(t.Context(), nil, false); err != nil {
		t.Fatalf("apply views: %v", err)
	}
	same(t, "raw_normalized", number(t, w, "select count(deviceId) from raw_normalized"), 2)
}

// checkRetention: rows of days before the given one go, the others stay.
func checkRetention(t testing.TB, h Harness) {
	w := prepared(t, h)
	b := span2batch(t, 1, 3)
	old := b.Raw[1]
	old.Timestamp = day().AddDate(0, 0, -1).Add(24*time.Hour - time.Microsecond)
	b.Raw[1] = old
	b.Deliveries[0].Day = day().AddDate(0, 0, -1)
	b.Deliveries[0].Position.Index = 1
	b.Filtered[0].Day, b.Leaks[0].Day = b.Deliveries[0].Day, b.Deliveries[0].Day
	b.Names = append(b.Names, warehouse.NameRow{Day: day().AddDate(0, 0, -1), Source: "shop", Event: "buy"})
	load(t, w, b)
	if err := w.Expire(t.Context(), day().AddDate(0, 0, -1)); err != nil {
		t.Fatalf("expire: %v", err)
	}
	same(t, "raw, nothing to expire", number(t, w, "select count(*) from raw"), 6)
	if err := w.Expire(t.Context(), day()); err != nil {
		t.Fatalf("expire: %v", err)
	}
	same(t, "raw", number(t, w, "select count(*) from raw"), 5)
	same(t, "the old row", number(t, w, "select count(*) from raw where receipt = 'e1-1-1'"), 0)
	for _, table := range []string{"deliveries", "filtered", "leaks", "names"} {
		same(t, table, number(t, w, "select count(*) from "+table), 1)
	}
}

// checkPlans: a plan's text is kept once for each version.
func checkPlans(t testing.TB, h Harness) {
	w := prepared(t, h)
	for _, p := range [][2]string{{"v1", "events: {}\n# '\"\n"}, {"v2", "b"}, {"v1", "changed"}} {
		if err := w.SavePlan(t.Context(), p[0], p[1]); err != nil {
			t.Fatalf("save plan: %v", err)
		}
	}
	same(t, "plans", ask(t, w, "select version, text from plans order by version"), [][]any{{"v1", "events: {}\n# '\"\n"}, {"v2", "b"}})
}
