//go:build !cgo

package duckdb_test

import (
	"errors"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

func TestSlim(t *testing.T) {
	if _, err := duckdb.Open(t.Context(), "x", duckdb.DefaultConfig(), duckdb.Options{}); !errors.Is(err, duckdb.ErrSlim) {
		t.Errorf("open: %v, want ErrSlim", err)
	}
}
