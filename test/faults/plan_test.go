package faults_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

const reloadConfig = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: backend, keys: [` + serverKey + `] }]
sentry: { dsn: "%s" }
trackers:
%s`

// TestReloadKeepsTheLastGoodPlan edits the plan under a gateway that runs.
func TestReloadKeepsTheLastGoodPlan(t *testing.T) {
	t.Parallel()
	v, sentry := newVendor("amplitude"), harness.NewSentry(t)
	g := harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(reloadConfig, sentry.DSN, trackerEntry("amplitude", "amplitude", serve(t, v).URL)),
		"plan.yaml":    "events:\n  counted: { properties: { n: integer } }\n",
	}, "serve")
	g.Start()
	next := 0
	// sent posts an event and returns what the vendor gets of it.
	sent := func() string {
		t.Helper()
		next++
		before := v.taken.Total()
		body := fmt.Sprintf(`{"event":"counted","deviceId":"d","eventId":"plan-%d","properties":{"n":%d,"colour":"red","size":"L"}}`, next, next)
		if status, answer := g.Post(serverKey, body); status != http.StatusOK {
			t.Fatalf("POST: %d %s", status, answer)
		}
		g.Await("the vendor to have the event", 30*time.Second, func() bool { return v.taken.Total() > before })
		return string(v.taken.Entries()[before].Data)
	}
	column := func(name string) bool {
		return len(g.Query("select 1 from (describe raw_normalized) where column_name = '"+name+"'")) == 1
	}

	if got := sent(); strings.Contains(got, "colour") || strings.Contains(got, "size") || !strings.Contains(got, `"n"`) {
		t.Errorf("the first plan lets n through: %s", got)
	}
	if column("colour") {
		t.Error("the view has a column that the plan does not know")
	}

	g.Write("plan.yaml", "events:\n  counted: { properties: { n: integer, colour: string } }\n")
	g.Await("the new plan", 30*time.Second, func() bool { return strings.Contains(g.Log(), `"msg":"plan reloaded"`) })
	if got := sent(); !strings.Contains(got, `"colour":"red"`) || strings.Contains(got, "size") {
		t.Errorf("the new plan lets n and colour through: %s", got)
	}
	g.Await("the view's new column", 30*time.Second, func() bool { return column("colour") })
	if rows := g.Query("select colour from raw_normalized where colour = 'red'"); len(rows) != 2 {
		t.Errorf("the column speaks of %d events, want the one before the change too", len(rows))
	}

	g.Write("plan.yaml", "events:\n  counted: { propertis: { n: integer, size: string } }\n")
	g.Await("the broken plan to be told of", 30*time.Second, func() bool { return strings.Contains(g.Log(), "not reloaded") })
	if line := linesWith(g.Log(), "not reloaded"); !strings.Contains(line, "plan.yaml:2") || !strings.Contains(line, `did you mean \"properties\"`) {
		t.Errorf("the log does not say what is wrong and where: %s", line)
	}
	g.Await("Sentry to hear of it", 30*time.Second, func() bool { return strings.Contains(sentry.Raw(), "propertis") })
	if got := sent(); !strings.Contains(got, `"colour":"red"`) || strings.Contains(got, "size") {
		t.Errorf("the last good plan is not in force: %s", got)
	}
	if status := g.Do(http.MethodGet, "/readyz", "").Status; status != http.StatusOK {
		t.Errorf("/readyz answers %d with a broken plan on disk", status)
	}

	// SIGHUP has it told again, and reads what is good at once.
	told := strings.Count(g.Log(), "not reloaded")
	g.Signal(syscall.SIGHUP)
	g.Await("SIGHUP to have the plan read", 30*time.Second, func() bool { return strings.Count(g.Log(), "not reloaded") > told })
	g.Write("plan.yaml", "events:\n  counted: { properties: { n: integer, size: string } }\n")
	g.Signal(syscall.SIGHUP)
	g.Await("the mended plan", 30*time.Second, func() bool { return strings.Count(g.Log(), `"msg":"plan reloaded"`) == 2 })
	if got := sent(); strings.Contains(got, "colour") || !strings.Contains(got, `"size":"L"`) {
		t.Errorf("the mended plan lets n and size through: %s", got)
	}
	g.Await("the view's new column", 30*time.Second, func() bool { return column("size") })
	if !column("colour") {
		t.Error("a column left the view though nobody dropped it")
	}
	if out := g.Command("views", "apply", "--drop"); !strings.Contains(out, "dropped: colour") || column("colour") {
		t.Errorf("views apply --drop: %s", out)
	}
	if !g.Running() {
		t.Error("the gateway ended")
	}
	awaitSums(t, g, 1)
}
