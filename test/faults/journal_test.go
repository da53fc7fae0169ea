package faults_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/test/harness"
)

// TestDeletedJournalKeepsTheSums: somebody deletes the journal and leaves the warehouse.
func TestDeletedJournalKeepsTheSums(t *testing.T) {
	t.Parallel()
	up, down, sentry := newVendor("amplitude"), newVendor("ga4"), harness.NewSentry(t)
	down.faults.Order(vendortest.Fault{Stage: vendortest.Answer, Status: 503})
	g := harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(reloadConfig, sentry.DSN,
			trackerEntry("amplitude", "up", serve(t, up).URL)+trackerEntry("ga4", "down", serve(t, down).URL)),
		"plan.yaml": identifiedPlan,
	}, "serve")
	const n = 25
	g.Start()
	postCounted(t, g, "old", n)
	g.Await("the sums before", time.Minute, func() bool {
		all := reconciliation(g)
		return all["up"] == sums{accepted: n, delivered: n} && all["down"] == sums{accepted: n, pending: n}
	})
	g.Stop(time.Minute)
	if err := os.RemoveAll(filepath.Join(g.Dir, "data", "journal")); err != nil {
		t.Fatal(err)
	}
	before := len(g.Log())
	down.faults.Clear()
	g.Start()
	postCounted(t, g, "new", n)
	postCounted(t, g, "new", 1) // a repeat, in the new journal
	g.Await("the new journal's events in the warehouse", time.Minute, func() bool {
		return harness.Number(g.Query("select count(*) as n from raw")[0], "n") == 2*n+1
	})

	rows := g.Query(`select count(*) as n, count(distinct receipt) as receipts, count(distinct epoch) as epochs,
		count(*) filter (where duplicate) as duplicates, count(distinct eventId) as ids from raw`)
	for column, want := range map[string]int{"receipts": 2*n + 1, "epochs": 2, "duplicates": 1, "ids": 2 * n} {
		if harness.Number(rows[0], column) != want {
			t.Errorf("raw: %s is %d, want %d", column, harness.Number(rows[0], column), want)
		}
	}
	g.Await("what is new at both vendors", time.Minute, func() bool { return up.taken.Total() == 2*n && down.taken.Total() == n })
	g.Await("an alarm at Sentry", 30*time.Second, func() bool {
		for _, e := range sentry.Events(t) {
			if e.Group() == "loader//new epoch" {
				return true
			}
		}
		return false
	})
	if !strings.Contains(linesWith(g.Log()[before:], `"level":"ERROR"`), "epoch") {
		t.Errorf("the log does not tell of another journal:\n%s", g.Log()[before:])
	}
	// Every event of both journals has its place in the sums: what was pending
	// when the journal went can never be sent.
	g.Await("the sums of both journals", time.Minute, func() bool {
		all := reconciliation(g)
		up, down := all["up"], all["down"]
		return up == sums{accepted: 2 * n, delivered: 2 * n} && down == sums{accepted: 2 * n, delivered: n, expired: n}
	})
	if out := linesWith(g.Command("events", "old-1"), "down "); !strings.Contains(out, "expired: left the journal") {
		t.Errorf("sparrow events does not say what became of an event of the journal that is gone: %q", out)
	}
}

// TestIntakeAnswers503WhileTheDiskIsLow: the disk has less free space than journal.minFree.
func TestIntakeAnswers503WhileTheDiskIsLow(t *testing.T) {
	t.Parallel()
	config := strings.Replace(inputConfig, "minFree: 0B", "minFree: 8000TiB", 1)
	g := harness.New(t, map[string]string{"sparrow.yaml": config, "plan.yaml": countedPlan}, "serve")
	// /readyz answers 503 while the gateway starts, too: that it is for want of
	// room is what the log says.
	g.StartUntil("/healthz", http.StatusOK)
	g.Await("the log to say why", time.Minute, func() bool {
		if a := g.Do(http.MethodGet, "/readyz", ""); a.Status != http.StatusServiceUnavailable {
			t.Fatalf("/readyz answers %d: %s", a.Status, a.Body)
		}
		return linesWith(g.Log(), "minFree") != ""
	})
	for range 3 {
		a := g.Do(http.MethodPost, "/v1/events?key="+serverKey, good, "Content-Type", "application/json")
		seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
		if a.Status != http.StatusServiceUnavailable || err != nil || seconds < 1 {
			t.Errorf("status %d, Retry-After %q: %s", a.Status, a.Header.Get("Retry-After"), a.Body)
		}
	}
	if a := g.Do(http.MethodGet, "/healthz", ""); a.Status != http.StatusOK || !g.Running() {
		t.Errorf("/healthz answers %d, running %v: a restart makes no room", a.Status, g.Running())
	}
	if rows := g.Query("select count(*) as n from raw"); harness.Number(rows[0], "n") != 0 {
		t.Errorf("raw holds what was refused: %v", rows)
	}
	g.Stop(time.Minute)
	g.Write("sparrow.yaml", inputConfig)
	g.Start()
	if status, answer := g.Post(serverKey, good); status != http.StatusOK {
		t.Errorf("with room again: %d %s", status, answer)
	}
}
