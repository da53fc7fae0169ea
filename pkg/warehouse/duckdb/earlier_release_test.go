//go:build cgo

package duckdb_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// A file of an earlier release has no column for translated events: it gets one,
// and its rows stay in the views.
func TestFileOfAnEarlierRelease(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("duckdb", filepath.Join(dir, "sparrow.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`create table raw (eventId varchar, "timestamp" timestamp, data varchar, receipt varchar, source varchar, context varchar, duplicate boolean,
			day date, epoch varchar, seq ubigint, idx uinteger, event varchar, usable boolean)`,
		`insert into raw values ('id', '2026-01-31', '{"event":"e","deviceId":"d"}', 'e1-1-0', 'shop', '{}', false, '2026-01-31', 'e1', 1, 0, 'e', true)`,
		`create view raw_normalized as select event from raw where usable`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and again, now that it is there
		w, err := open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		found, err := w.Query(t.Context(), "select r.translated, n.deviceId from raw as r, raw_normalized as n", warehouse.Limits{})
		if err != nil || len(found.Rows) != 1 || found.Rows[0][0] != nil || found.Rows[0][1] != "d" {
			t.Errorf("%v, error %v", found, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
