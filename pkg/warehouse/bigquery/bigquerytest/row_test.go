package bigquerytest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

func TestInvalidRowsAreRefused(t *testing.T) {
	days := func(n int) []byte { return appendNumber(row("x"), 2, time.Now().AddDate(0, 0, n).UnixMicro()) }
	for _, c := range []struct {
		name string
		row  []byte
		says string // of the refusal; "" for none
	}{
		{"the required column alone", row("a"), ""},
		{"all columns", appendText(appendText(appendText(appendNumber(appendNumber(row("a"), 2, time.Now().UnixMicro()), 3, -7), 4, "one"), 4, "two"), 5, string(appendText(nil, 1, "Bern"))), ""},
		{"without the required column", appendNumber(nil, 3, 1), "required"},
		{"nothing at all", nil, "required"},
		{"a field that the schema lacks", appendText(row("x"), 77, "?"), "field number 77"},
		{"a field that a record lacks", appendText(row("x"), 5, string(appendText(nil, 9, "?"))), "field place: field number 9"},
		{"a number where text belongs", appendNumber(nil, 1, 1), "wire type"},
		{"text where a number belongs", appendText(row("x"), 3, "7"), "wire type"},
		{"cut short", row("long enough")[:5], "no protocol buffer message"},
		{"text that is no UTF-8", appendText(nil, 1, "\xff\xfe"), "UTF-8"},
		{"a time after 9999", appendNumber(row("x"), 2, 253402300800e6), "out of range"},
		{"five years ago", days(-1820), ""},
		{"more than five years ago", days(-1830), "outside the allowed bounds"},
		{"a year ahead", days(360), ""},
		{"more than a year ahead", days(370), "outside the allowed bounds"},
		{"no time", row("a"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, bigquerytest.Config{})
			ms := w.stream(managedwriter.CommittedStream)
			ids := []string{"before", "after"}
			result, err := ms.AppendRows(t.Context(), [][]byte{row("before"), c.row, row("after")})
			must(t, err)
			response, err := result.FullResponse(t.Context())
			if c.says == "" {
				must(t, err)
				if got := w.ids(); len(got) != 3 {
					t.Errorf("committed %v", got)
				}
				return
			}
			wantCode(t, err, codes.InvalidArgument, 0)
			bad := response.GetRowErrors()
			if len(bad) != 1 || bad[0].GetIndex() != 1 || !strings.Contains(bad[0].GetMessage(), c.says) {
				t.Errorf("row errors %v, want row 1: %s", bad, c.says)
			}
			w.wantIDs() // none of the request
			_, err = put(t, ms, rows(ids...), managedwriter.WithOffset(0))
			must(t, err) // on the same connection, at the same offset
			w.wantIDs(ids...)
		})
	}
}

func TestRowErrorsAreBounded(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{MaxRowErrors: 2})
	bad := appendNumber(nil, 3, 1)
	result, err := w.stream(managedwriter.CommittedStream).AppendRows(t.Context(), [][]byte{bad, row("x"), bad, bad})
	must(t, err)
	response, err := result.FullResponse(t.Context())
	wantCode(t, err, codes.InvalidArgument, 0)
	list := response.GetRowErrors()
	if len(list) != 2 || list[0].GetIndex() != 0 || list[1].GetIndex() != 2 {
		t.Errorf("row errors %v, want rows 0 and 2", list)
	}
}

func TestLargeRequestsAreRefused(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	ms := w.stream(managedwriter.CommittedStream)
	_, err := put(t, ms, [][]byte{row(strings.Repeat("x", bigquerytest.DefaultMaxRequest))}, managedwriter.WithOffset(0))
	wantCode(t, err, codes.InvalidArgument, 0)
	if err == nil || !strings.Contains(err.Error(), "request too large") {
		t.Errorf("error %v does not say that the request is too large", err)
	}
	w.wantIDs()
	_, err = put(t, ms, rows("a"), managedwriter.WithOffset(0))
	must(t, err)
	large := strings.Repeat("y", bigquerytest.DefaultMaxRequest-1000)
	_, err = put(t, ms, rows(large), managedwriter.WithOffset(1))
	must(t, err)
	w.wantIDs("a", large)
	if n := w.server.Counts().Connections; n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestRowsAreReadBack(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	at := time.Now().UTC().Truncate(time.Microsecond)
	full := appendNumber(appendNumber(row("a"), 2, at.UnixMicro()), 3, -7)
	full = appendText(appendText(appendText(full, 4, "one"), 4, "two"), 5, string(appendText(nil, 1, "Bern")))
	ms := w.stream(managedwriter.CommittedStream)
	_, err := put(t, ms, [][]byte{full, row("b")})
	must(t, err)
	_, err = put(t, w.stream(managedwriter.DefaultStream), rows("c"))
	must(t, err)
	var got []bigquerytest.Row
	for r, err := range w.server.Store().Rows(dataset, tableID) {
		must(t, err)
		got = append(got, r)
	}
	if len(got) != 3 {
		t.Fatalf("%d rows, want 3", len(got))
	}
	v := got[0].Values
	tags, _ := v["tags"].([]any)
	place, _ := v["place"].(map[string]any)
	if v["id"] != "a" || v["n"] != int64(-7) || v["at"] != at || len(tags) != 2 || tags[1] != "two" || place["city"] != "Bern" {
		t.Errorf("values %v", v)
	}
	if got[1].Stream != ms.StreamName() || got[1].Offset != 1 || got[2].Offset != -1 || time.Since(got[1].Committed) > time.Minute {
		t.Errorf("rows %+v, %+v", got[1], got[2])
	}
	if _, found := got[1].Values["n"]; found {
		t.Errorf("NULL is there: %v", got[1].Values)
	}
	if n, size := w.server.Store().Count(dataset, tableID); n != 3 || size != int64(len(full)+2*len(row("b"))) {
		t.Errorf("%d rows of %d bytes", n, size)
	}
}

func TestStoreKeepsOnlyOneColumn(t *testing.T) {
	store, err := bigquerytest.NewStore(t.TempDir(), bigquerytest.StoreConfig{Keep: map[string]string{tableID: "id"}, MaxBytes: 100})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	w := newWorld(t, bigquerytest.Config{Store: store})
	ms := w.stream(managedwriter.CommittedStream)
	long := appendText(row("a"), 4, strings.Repeat("x", 1000))
	_, err = put(t, ms, [][]byte{long, row("b")})
	must(t, err)
	w.wantIDs("a", "b")
	if _, err := put(t, ms, [][]byte{protowire.AppendTag(nil, 1, protowire.VarintType)}); err == nil {
		t.Error("a bad row was taken")
	}
	for range 30 { // the file is bounded
		if _, err = put(t, ms, rows("c", "d", "e")); err != nil {
			break
		}
	}
	wantCode(t, err, codes.ResourceExhausted, 0)
	for r, err := range store.Rows(dataset, tableID) {
		must(t, errors.Join(err))
		if len(r.Values) != 1 || r.Values["id"] == "" {
			t.Fatalf("row %v", r)
		}
	}
}
