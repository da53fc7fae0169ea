//go:build cgo

package bigquery_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// TestBigQueryAnswersAsDuckDB asks BigQuery (the emulator) and DuckDB the same questions over
// the same events, which are made to be misread: each value of each answer must
// be the same.
func TestBigQueryAnswersAsDuckDB(t *testing.T) {
	for _, part := range []struct {
		name      string
		events    int
		questions []question
	}{
		{"10,000 events", 10_000, questions},
		{"joins", 80, joining},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			duck, big := loadBoth(t, warehousetest.NewCorpus(1, part.events, int(quantity.MiB)))
			for _, q := range part.questions {
				t.Run(q.name, func(t *testing.T) { compare(t, q, duck, big) })
			}
		})
	}
}

func loadBoth(t *testing.T, corpus *warehousetest.Corpus) (duck, big warehouse.Warehouse) {
	t.Helper()
	config := duckdb.DefaultConfig()
	config.MaxRow = quantity.MiB
	duck, err := duckdb.Open(context.Background(), filepath.Join(t.TempDir(), "sparrow.duckdb"), config, duckdb.Options{})
	must(t, err)
	t.Cleanup(func() { _ = duck.Close() })
	corpus.Load(t, duck)
	emulated, err := processes.config(t.TempDir())
	must(t, err)
	emulated.Timeout = 10 * time.Minute // for counting days again
	big, err = bigquery.Open(context.Background(), emulated, bigquery.Options{})
	must(t, err)
	t.Cleanup(func() { _ = big.Close() })
	corpus.Load(t, big)
	return duck, big
}

func compare(t *testing.T, q question, duck, big warehouse.Warehouse) {
	limits := warehouse.Limits{Time: 5 * time.Minute, Rows: 100_000}
	want, err := duck.Query(t.Context(), q.duck, limits)
	must(t, err)
	text := q.duck
	if q.big != "" {
		text = q.big
	}
	got, err := big.Query(t.Context(), text, limits)
	must(t, err)
	if len(want.Rows) < q.rows || want.Truncated || got.Truncated {
		t.Fatalf("%d rows, want %d at least, and all", len(want.Rows), q.rows)
	}
	if len(got.Rows) != len(want.Rows) {
		t.Fatalf("BigQuery has %d rows, DuckDB %d", len(got.Rows), len(want.Rows))
	}
	wrong := 0
	for i := range want.Rows {
		for j := range want.Columns {
			if g, w := value(got.Rows[i][j]), value(want.Rows[i][j]); g != w {
				if wrong++; wrong <= 10 {
					t.Errorf("row %d (%s), %s: BigQuery has %.200s, DuckDB %.200s", i, want.Rows[i][0], want.Columns[j].Name, g, w)
				}
			}
		}
	}
	if wrong > 10 {
		t.Errorf("%d values differ", wrong)
	}
}

// value is a cell with its kind, so that a number is not its text.
func value(v any) string { return fmt.Sprintf("%T %[1]v", v) }
