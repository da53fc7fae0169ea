//go:build !cgo

package duckdb

import (
	"context"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Available says whether this build has DuckDB.
const Available = false

// Open returns ErrSlim: DuckDB needs cgo.
func Open(context.Context, string, Config, Options) (warehouse.Warehouse, error) {
	return nil, ErrSlim
}
