//go:build cgo

package duckdb_test

import (
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

func TestCloseInterruptsQueries(t *testing.T) {
	w := reopened(t, t.TempDir())
	ended := make(chan error, 1)
	go func() {
		_, err := w.Query(t.Context(), "select count(*) from range(1000000000) as a, range(1000) as b where a.range % 7 = b.range", warehouse.Limits{Time: 10 * time.Minute})
		ended <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); duckdb.Running(w) == 0; <-tick.C {
		if time.Since(begun) > time.Minute {
			t.Fatal("the query does not begin")
		}
	}
	if err := w.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the query went on after the warehouse was closed")
	}
}
