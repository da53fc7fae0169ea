package warehousetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

func apply(t testing.TB, w warehouse.Warehouse, drop bool, columns ...warehouse.Column) {
	t.Helper()
	if err := w.ApplyViews(t.Context(), columns, drop); err != nil {
		t.Fatalf("apply views: %v", err)
	}
}

// normalized loads an event for each text of properties and returns the
// columns asked for, in order.
func normalized(t testing.TB, w warehouse.Warehouse, columns string, properties ...string) [][]any {
	t.Helper()
	b := batch(t, event.Position{Seq: 2})
	for i, p := range properties {
		r := record(at(1, uint32(i)), `{"event":"buy","deviceId":"d","properties":`+p+`}`)
		b.Raw = append(b.Raw, batch(t, event.Position{}, r).Raw...)
	}
	load(t, w, b)
	return ask(t, w, "select "+columns+" from raw_normalized order by receipt")
}

// checkTypes: a column for each type; what does not fit is NULL, and no row
// fails the query.
func checkTypes(t testing.TB, h Harness) {
	w := prepared(t, h)
	apply(t, w, false,
		warehouse.Column{Name: "s", Property: "s", Type: warehouse.TypeString},
		warehouse.Column{Name: "i", Property: "i", Type: warehouse.TypeInteger},
		warehouse.Column{Name: "n", Property: "n", Type: warehouse.TypeNumber},
		warehouse.Column{Name: "b", Property: "b", Type: warehouse.TypeBoolean},
		warehouse.Column{Name: "t", Property: "t", Type: warehouse.TypeTimestamp},
		warehouse.Column{Name: "j", Property: "j", Type: warehouse.TypeJSON},
	)
	got := normalized(t, w, "s, i, n, b, t, j",
		`{"s":"a \"b\"","i":12345678901234567890,"n":1.10,"b":true,"t":"2026-01-31T12:00:00.5+02:00","j":{"k":[1,null]}}`,
		`{"s":5,"i":1.5,"n":"x","b":"yes","t":"yesterday","j":"text"}`,
		`{"s":null,"i":null,"n":null,"b":null,"t":null}`,
		`{"s":{"a":1},"i":1e3,"n":-1234567.125,"b":false,"t":5,"j":[]}`,
		`{"s":"cut \ud83d emoji \ud83d\ude00","i":7}`,
		`{"i":99999999999999999999999999999999999999999999,"n":1e300}`,
		`[]`, `null`,
	)
	want := [][]any{
		{`a "b"`, "12345678901234567890", "1.100000000", true, "2026-01-31T10:00:00.5Z", `{"k":[1,null]}`},
		{"5", nil, nil, nil, nil, `"text"`},
		{nil, nil, nil, nil, nil, nil},
		{`{"a":1}`, "1000", "-1234567.125000000", false, nil, `[]`},
		{"cut \uFFFD emoji 😀", "7", nil, nil, nil, nil},
		{nil, nil, nil, nil, nil, nil},
		{nil, nil, nil, nil, nil, nil},
		{nil, nil, nil, nil, nil, nil},
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		same(t, fmt.Sprintf("row %d", i), got[i], want[i])
	}
	same(t, "sum", ask(t, w, "select sum(n) from raw_normalized where receipt = 'e1-1-0'"), [][]any{{"1.100000000"}})
}

// hostileNames are names of properties that break careless SQL and paths.
var hostileNames = [...]string{
	`a.b`, `a/b`, `a~b`, `a~1b`, `~0`, `a"b`, `a'b`, `a\b`, `a[0]`, `[*]`, `*`, `$`, `$.event`, `..x`, `0`, ``, ` `, `名前`, `😀`,
	`'; drop table raw; --`, `"); drop table raw; --`, "tab\tname", "line\nname", `event`, `{}`, `?`, `$1`, `a,b`, `%s`, `\u0041`, "\u202e", "`x`", `@`,
}

// checkHostileNames: each property is read by its exact name.
func checkHostileNames(t testing.TB, h Harness) {
	w := prepared(t, h)
	var columns []warehouse.Column
	var names, want []string
	properties := []byte{'{'}
	for i, name := range hostileNames {
		column := fmt.Sprintf("p%d", i)
		columns = append(columns, warehouse.Column{Name: column, Property: name, Type: warehouse.TypeString, Description: "'\"; --\n" + name})
		names = append(names, column)
		want = append(want, fmt.Sprintf("value %d", i))
		if i > 0 {
			properties = append(properties, ',')
		}
		properties = event.AppendQuoted(properties, name)
		properties = append(properties, ':')
		properties = event.AppendQuoted(properties, want[i])
	}
	columns = append(columns,
		warehouse.Column{Name: `we"ird; drop table raw; --`, Property: "weird", Type: warehouse.TypeInteger},
		warehouse.Column{Name: "select", Property: "select", Type: warehouse.TypeJSON})
	apply(t, w, false, columns...)
	got := normalized(t, w, strings.Join(names, ", "), string(append(properties, `,"weird":1,"select":2}`...)))
	if len(got) != 1 {
		t.Fatalf("%d rows, want 1", len(got))
	}
	for i, name := range hostileNames {
		if got[0][i] != want[i] {
			t.Errorf("property %q: got %v, want %s", name, got[0][i], want[i])
		}
	}
	same(t, "raw", number(t, w, "select count(*) from raw"), 1)
}

// checkColumnsGrow: earlier columns stay until they are dropped.
func checkColumnsGrow(t testing.TB, h Harness) {
	dir := t.TempDir()
	w := open(t, h, dir)
	column := func(name string, typ warehouse.Type) warehouse.Column {
		return warehouse.Column{Name: name, Property: name, Type: typ}
	}
	apply(t, w, false, column("a", warehouse.TypeString), column("b", warehouse.TypeString))
	apply(t, w, false, column("c", warehouse.TypeString), column("B", warehouse.TypeInteger))
	if err := w.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	w = open(t, h, dir)
	got := normalized(t, w, "a, b, c", `{"a":"1","b":"x","B":2,"c":"3"}`)
	same(t, "three columns", got, [][]any{{"1", "2", "3"}})
	for _, bad := range []warehouse.Column{column("EventID", warehouse.TypeString), column("", warehouse.TypeString), column("x", "money")} {
		if err := w.ApplyViews(t.Context(), []warehouse.Column{bad}, false); err == nil {
			t.Errorf("column %+v was taken", bad)
		}
	}
	same(t, "still three columns", ask(t, w, "select a, b, c from raw_normalized"), got)
	apply(t, w, true, column("c", warehouse.TypeString))
	if _, err := w.Query(t.Context(), "select a from raw_normalized", warehouse.Limits{}); err == nil {
		t.Error("a dropped column is still there")
	}
	same(t, "one column", ask(t, w, "select c from raw_normalized"), [][]any{{"3"}})
}

// received1970 is from a time back to the start of 1970, where a clock without a
// battery starts.
func received1970(received time.Time) time.Duration { return time.Unix(0, 0).Sub(received) }

// checkEventTime: an event's time is the client's within the bounds of
// event.EventTime, which the views repeat in SQL; only usable events that are no duplicates have a row.
func checkEventTime(t testing.TB, h Harness) {
	w := prepared(t, h)
	apply(t, w, false)
	received := day().Add(time.Hour)
	stamp := func(offset time.Duration) string { return received.Add(offset).Format(time.RFC3339Nano) }
	cases := []struct {
		timestamp string
		sentAt    time.Duration // from received; 1 for none
		want      time.Duration // from received
	}{
		{"", 1, 0},
		{"", -time.Hour, 0},
		{stamp(-time.Minute), 1, -time.Minute},
		{stamp(-time.Minute), -4 * time.Minute, -time.Minute},
		{stamp(-time.Hour), -5 * time.Minute, -time.Hour},
		{stamp(-time.Hour), -5*time.Minute - time.Second, -time.Hour + 5*time.Minute + time.Second},
		{stamp(2 * time.Hour), 2 * time.Hour, 0},
		{stamp(48 * time.Hour), 47 * time.Hour, 0}, // the client's clock contradicts itself
		{"no time", 1, 0},
		{"0001-01-01T00:00:00Z", 1, 0},
		{"1970-01-01T00:00:10Z", 0, received1970(received) + 10*time.Second},
		{stamp(-time.Hour), received1970(received), -time.Hour},
		{"9998-01-01T00:00:00Z", -6 * 365 * 24 * time.Hour, 0},
		{"9999-12-31T23:59:59.999999Z", 1, 0},
		{stamp(5 * time.Minute), 1, 5 * time.Minute},
		{stamp(5*time.Minute + time.Microsecond), 1, 0},
		{stamp(-time.Hour + 5*time.Minute), -time.Hour, 5 * time.Minute},
		{stamp(-time.Hour + 5*time.Minute + time.Microsecond), -time.Hour, -time.Hour + 5*time.Minute + time.Microsecond},
	}
	b := batch(t, event.Position{Seq: 2})
	add := func(r event.Record) { b.Raw = append(b.Raw, batch(t, event.Position{}, r).Raw...) }
	for i, c := range cases {
		r := record(at(1, uint32(10+i)), `{"event":"e","deviceId":"d"`+map[bool]string{true: `,"timestamp":"` + c.timestamp + `"`}[c.timestamp != ""]+`}`)
		if c.sentAt != 1 {
			r.Context.SentAt = received.Add(c.sentAt)
		}
		add(r)
	}
	duplicate := record(at(1, 100), `{"event":"e","deviceId":"d"}`)
	duplicate.Duplicate = true
	malformed := record(at(1, 101), `{"event`)
	malformed.Context.Malformed = "unexpected end"
	invalid := record(at(1, 102), `{"event":"e"}`)
	invalid.Context.Invalid = "deviceId: required"
	add(duplicate)
	add(malformed)
	add(invalid)
	load(t, w, b)
	rows := ask(t, w, "select timestamp, receivedAt, receipt, eventId, event, deviceId, userId, source from raw_normalized order by receipt")
	if len(rows) != len(cases) {
		t.Fatalf("%d rows, want %d", len(rows), len(cases))
	}
	for i, c := range cases {
		same(t, fmt.Sprintf("case %d", i), rows[i], []any{
			received.Add(c.want).Format(time.RFC3339Nano), received.Format(time.RFC3339Nano),
			fmt.Sprintf("e1-1-%d", 10+i), fmt.Sprintf("id-e1-1-%d", 10+i), "e", "d", nil, "shop",
		})
	}
}
