//go:build cgo

package duckdb_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

func TestMain(m *testing.M) {
	warehousetest.Child(open)
	hold()
	full()
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var harness = warehousetest.Harness{Open: open, MaxRow: int(quantity.MiB)}

func TestSuite(t *testing.T) { warehousetest.Run(t, harness) }

func open(dir string) (warehouse.Warehouse, error) {
	config := duckdb.DefaultConfig()
	config.MaxRow = quantity.MiB
	return duckdb.Open(context.Background(), filepath.Join(dir, "sparrow.duckdb"), config, duckdb.Options{})
}
