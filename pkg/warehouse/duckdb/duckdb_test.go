//go:build cgo

package duckdb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// holdDir names the directory whose file a child process is to hold.
const holdDir = "SPARROW_DUCKDB_HOLD"

// hold opens a file, loads into it, says so and waits to be killed, when the
// environment asks for it.
func hold() {
	dir := os.Getenv(holdDir)
	if dir == "" {
		return
	}
	if w, err := open(dir); err == nil && w.Prepare(context.Background()) == nil {
		fmt.Println("held")
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	os.Exit(0)
}

func TestLockedByAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), holdDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = in.Close(), child.Wait() }()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child says %q", line)
	}
	for _, readOnly := range []bool{false, true} {
		config := duckdb.DefaultConfig()
		config.ReadOnly = readOnly
		_, err := duckdb.Open(t.Context(), filepath.Join(dir, "sparrow.duckdb"), config, duckdb.Options{})
		if !errors.Is(err, duckdb.ErrLocked) || !fault.IsPermanent(err) {
			t.Errorf("read-only %t: %v, want ErrLocked", readOnly, err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sparrow.duckdb")
	config := duckdb.DefaultConfig()
	config.ReadOnly = true
	if _, err := duckdb.Open(t.Context(), path, config, duckdb.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	w, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Load(t.Context(), message(t, 1, 10, true)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w, err = duckdb.Open(t.Context(), path, config, duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Prepare(t.Context()); err != nil {
		t.Errorf("prepare: %v", err)
	}
	result, err := w.Query(t.Context(), "select sum(accepted), sum(delivered) from reconciliation", warehouse.Limits{})
	if err != nil || fmt.Sprint(result.Rows) != "[[30 30]]" {
		t.Errorf("query: %v, error %v", result, err)
	}
	if err := w.Load(t.Context(), message(t, 2, 1, false)); !fault.IsPermanent(err) {
		t.Errorf("load: %v, want a permanent error", err)
	}
}

func TestOpenErrors(t *testing.T) {
	bad := duckdb.DefaultConfig()
	bad.Memory = 1
	for name, try := range map[string]func() (warehouse.Warehouse, error){
		"configuration": func() (warehouse.Warehouse, error) { return duckdb.Open(t.Context(), "x", bad, duckdb.Options{}) },
		"hostile path": func() (warehouse.Warehouse, error) {
			return duckdb.Open(t.Context(), filepath.Join(t.TempDir(), "a?access_mode=x"), duckdb.DefaultConfig(), duckdb.Options{})
		},
		"no directory": func() (warehouse.Warehouse, error) {
			return duckdb.Open(t.Context(), filepath.Join(t.TempDir(), "no", "x"), duckdb.DefaultConfig(), duckdb.Options{})
		},
		"not a DuckDB file": func() (warehouse.Warehouse, error) {
			path := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(path, []byte(strings.Repeat("nonsense", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			return duckdb.Open(t.Context(), path, duckdb.DefaultConfig(), duckdb.Options{})
		},
	} {
		if w, err := try(); err == nil {
			_ = w.Close()
			t.Errorf("%s: it was opened", name)
		}
	}
}

func TestClosed(t *testing.T) {
	w, err := open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := w.Query(t.Context(), "select 1", warehouse.Limits{}); !fault.IsPermanent(err) {
		t.Errorf("query: %v", err)
	}
	if err := w.Load(t.Context(), &warehouse.Batch{}); !fault.IsPermanent(err) {
		t.Errorf("load: %v", err)
	}
}

// A query may spill to disk, within bounds, with access to all other files off.
func TestSpill(t *testing.T) {
	config := duckdb.DefaultConfig()
	config.Memory, config.Spill = 100*quantity.MiB, 400*quantity.MiB
	w, err := duckdb.Open(t.Context(), filepath.Join(t.TempDir(), "sparrow.duckdb"), config, duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	sorted := "select count(*) from (select md5(cast(x as varchar)) as y, row_number() over (order by md5(cast(x as varchar))) as n from range(%d) as r(x)) where n > 0"
	result, err := w.Query(t.Context(), fmt.Sprintf(sorted, 1_500_000), warehouse.Limits{Memory: quantity.GiB})
	if err != nil || fmt.Sprint(result.Rows) != "[[1500000]]" {
		t.Errorf("a sort that spills: %v, error %v", result, err)
	}
}

func TestConfigCheck(t *testing.T) {
	for key, change := range map[string]func(*duckdb.Config){
		"warehouse.memory":  func(c *duckdb.Config) { c.Memory = 1 },
		"warehouse.threads": func(c *duckdb.Config) { c.Threads = 0 },
		"warehouse.spill":   func(c *duckdb.Config) { c.Spill = -1 },
		"warehouse.maxRow":  func(c *duckdb.Config) { c.MaxRow = 1 },
	} {
		c := duckdb.DefaultConfig()
		change(&c)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := duckdb.DefaultConfig().Check(); err != nil {
		t.Error(err)
	}
}
