//go:build cgo

package duckdb

import "github.com/sparrow-edge/sparrow/pkg/warehouse"

// SetFillRows makes the pieces of Backfill smaller.
func SetFillRows(w warehouse.Warehouse, rows int64) { w.(*file).fillRows = rows }
