//go:build cgo

package duckdb

import (
	"encoding/json"
	"strings"
)

// cellValue is a value as results hold it, made of DuckDB's text of it.
func cellValue(text, typ string) any {
	switch kind, _, _ := strings.Cut(typ, "("); kind {
	case "BOOLEAN":
		return text == "true"
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
		"BIGNUM", "DECIMAL", "FLOAT", "DOUBLE":
		if json.Valid([]byte(text)) && !strings.HasSuffix(typ, "]") {
			return json.Number(text)
		}
		return text // nan, inf
	case "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS":
		return instant(text, "Z")
	case "TIMESTAMP WITH TIME ZONE":
		return instant(strings.TrimSuffix(text, "+00"), "Z")
	default:
		return text
	}
}

// instant makes RFC 3339 of "2006-01-02 15:04:05.999999"; infinities and years
// before the common era stay as they are.
func instant(text, zone string) string {
	day, clock, found := strings.Cut(text, " ")
	if !found || strings.Contains(clock, " ") {
		return text
	}
	return day + "T" + clock + zone
}
