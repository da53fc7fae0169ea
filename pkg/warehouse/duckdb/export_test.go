//go:build cgo

package duckdb

import "github.com/sparrow-edge/sparrow/pkg/warehouse"

// SetFillRows makes the pieces of Backfill smaller.
func SetFillRows(w warehouse.Warehouse, rows int64) { w.(*file).fillRows = rows }

// Running is how many queries run.
func Running(w warehouse.Warehouse) int { return len(w.(*file).queries) }
