//go:build cgo

package duckdb

import "github.com/sparrow-edge/sparrow/pkg/warehouse"

// SetFillRows makes the pieces of Backfill smaller.
func SetFillRows(w warehouse.Warehouse, rows int64) { w.(*file).fillRows = rows }

// SetTyping replaces the query that makes typed rows by one made of it.
func SetTyping(w warehouse.Warehouse, change func(query string, typing warehouse.Typing) string) {
	w.(*file).typedSelect = func(d warehouse.Dialect, columns []warehouse.Column, typing warehouse.Typing, rows string) string {
		return change(warehouse.TypedSelect(d, columns, typing, rows), typing)
	}
}

// Running is how many queries run.
func Running(w warehouse.Warehouse) int { return len(w.(*file).queries) }
