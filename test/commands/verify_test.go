//go:build cgo

package commands_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// TestReconcileVerify changes a sum in the warehouse's file, and has the command
// find it: without a gateway, and with one, which reports it, too.
func TestReconcileVerify(t *testing.T) {
	g := harness.New(t, nil, "dev", "--listen", "{{listen}}")
	g.Start()
	if status, answer := g.Post("pk_demo_key", `{"event":"purchase product","deviceId":"d","properties":{"category":"billing"}}`); status != 200 {
		t.Fatalf("POST: %d %s", status, answer)
	}
	g.Await("the outcomes of the event", time.Minute, func() bool {
		out, err := g.TryCommand("query", "--format", "csv", "select count(*) as n from deliveries")
		return err == nil && strings.Contains(out, "\n3")
	})
	const good = "no differences in 1 days\n"
	if out := g.Command("reconcile", "--verify"); out != good {
		t.Errorf("beside the gateway: %q", out)
	}
	g.Stop(30 * time.Second)
	if out := g.Command("reconcile", "--verify"); out != good {
		t.Errorf("without a gateway: %q", out)
	}
	if out := g.Command("reconcile", "--verify", "--format", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("as JSON: %q", out)
	}

	db, err := sql.Open("duckdb", filepath.Join(g.Dir, "data", "warehouse.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("update sums set n = n + 41 where tracker = 'ga4'"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	differs := func(how string) {
		t.Helper()
		code, out, errOut := run(t, g.Dir, "reconcile", "--verify", "--format", "csv")
		if code != 1 || !strings.HasPrefix(out, "day,source,event,tracker,outcome,reason,kept,counted\n") || !strings.Contains(out, ",ga4,filtered,dry-run,42,1\n") {
			t.Errorf("%s: exit code %d, stdout %q", how, code, out)
		}
		if !strings.Contains(errOut, "do not agree with their rows") {
			t.Errorf("%s: stderr %q", how, errOut)
		}
	}
	differs("without a gateway")
	g.Start()
	differs("beside the gateway")
	g.Await("the incident", time.Minute, func() bool { return strings.Contains(g.Log(), "sums differ") })
}
