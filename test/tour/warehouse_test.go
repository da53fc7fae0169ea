package tour_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// TestIntakeGoesOnWithoutAWarehouse starts beside a warehouse file that nobody
// can open, and puts things right while the gateway runs.
func TestIntakeGoesOnWithoutAWarehouse(t *testing.T) {
	g := harness.New(t, nil, "dev", "--listen", "{{listen}}")
	file := filepath.Join(g.Dir, "data", "warehouse.duckdb")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Start()
	if status, answer := g.Post(key, example); status != http.StatusOK {
		t.Fatalf("POST beside a broken warehouse: %d %s", status, answer)
	}
	if out, err := g.TryCommand("query", "select 1 from raw"); err == nil {
		t.Errorf("a query of a broken warehouse: %s", out)
	}
	if !strings.Contains(g.LogTail(64<<10), "the warehouse cannot be opened") {
		t.Error("nobody was told that the warehouse cannot be opened")
	}
	if err := os.Rename(file, file+".broken"); err != nil {
		t.Fatal(err)
	}
	g.Await("the event in a new warehouse", time.Minute, func() bool {
		out, err := g.TryCommand("query", "--format", "csv", "select deviceId from raw_normalized")
		return err == nil && strings.Contains(out, "desktop1")
	})
}
