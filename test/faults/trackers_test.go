package faults_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/test/harness"
)

// TestRemovedTrackerKeepsItsBacklogUntilClosed follows the backlog of a tracker that
// somebody deletes from the file.
func TestRemovedTrackerKeepsItsBacklogUntilClosed(t *testing.T) {
	t.Parallel()
	stays, leaves, comes := newVendor("amplitude"), newVendor("ga4"), newVendor("amplitude")
	leaves.faults.Order(vendortest.Fault{Stage: vendortest.Answer, Status: 503})
	staying := trackerEntry("amplitude", "stays", serve(t, stays).URL)
	leaving := trackerEntry("ga4", "leaves", serve(t, leaves).URL)
	coming := trackerEntry("amplitude", "comes", serve(t, comes).URL)
	files := func(trackers ...string) string { return fmt.Sprintf(quietConfig, strings.Join(trackers, "")) }
	g := harness.New(t, map[string]string{"sparrow.yaml": files(staying, leaving), "plan.yaml": identifiedPlan}, "serve")
	restart := func(trackers ...string) {
		t.Helper()
		g.Stop(time.Minute)
		g.Write("sparrow.yaml", files(trackers...))
		g.Start()
	}
	await := func(name string, want sums) {
		t.Helper()
		var all map[string]sums
		defer func() {
			if t.Failed() {
				t.Logf("%s: want %+v; the sums: %+v\n%s", name, want, all, g.Command("trackers", "list"))
			}
		}()
		g.Await("the sums of "+name, time.Minute, func() bool {
			all = reconciliation(g)
			return all[name] == want
		})
	}

	g.Start()
	if out, err := g.TryCommand("trackers", "remove", "leaves"); err == nil || !strings.Contains(out, "take it out of the configuration") {
		t.Errorf("removing a tracker that is configured: %v: %s", err, out)
	}
	postCounted(t, g, "before", 30)
	await("leaves", sums{accepted: 30, pending: 30})

	// Gone from the file: held, and told.
	restart(staying)
	if line := linesWith(g.Log(), "taken out of the configuration"); !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, "sparrow trackers remove leaves") {
		t.Errorf("the start does not warn of the backlog that is held: %q", line)
	}
	postCounted(t, g, "without", 20)
	await("stays", sums{accepted: 50, delivered: 50})
	await("leaves", sums{accepted: 50, pending: 50})
	if list := linesWith(g.Command("trackers", "list"), "leaves"); !strings.Contains(list, "not configured") {
		t.Errorf("sparrow trackers list does not show what is held: %q", list)
	}
	if out := g.Command("events", "before-1"); !strings.Contains(out, "leaves") {
		t.Errorf("sparrow events does not say that the event waits for the tracker that is gone:\n%s", out)
	}

	// Back in the file: nothing was lost.
	restart(staying, leaving)
	await("leaves", sums{accepted: 50, pending: 50})

	// Closed.
	restart(staying)
	if out, err := g.TryCommand("trackers", "remove", "nobody"); err == nil || !strings.Contains(out, `"nobody"`) {
		t.Errorf("removing a tracker that never was: %v: %s", err, out)
	}
	if out := g.Command("trackers", "remove", "leaves"); !strings.Contains(out, "leaves is closed") || !strings.Contains(out, "50 event(s)") {
		t.Errorf("sparrow trackers remove says: %s", out)
	}
	await("leaves", sums{accepted: 50, expired: 50})
	for _, row := range g.Query(`select reason, count(*) as n, count(distinct eventId) as ids from deliveries where tracker = 'leaves' group by all`) {
		if row["reason"] != "tracker removed" || harness.Number(row, "n") != 50 || harness.Number(row, "ids") != 50 {
			t.Errorf("deliveries of the tracker that was removed: %v", row)
		}
	}
	if list := g.Command("trackers", "list"); strings.Contains(list, "leaves") {
		t.Errorf("a tracker that was closed is still in the list:\n%s", list)
	}
	if out, err := g.TryCommand("trackers", "remove", "leaves"); err == nil {
		t.Errorf("removing it again: %s", out)
	}
	postCounted(t, g, "after", 10)
	await("stays", sums{accepted: 60, delivered: 60})
	await("leaves", sums{accepted: 50, expired: 50})

	// A tracker that is new, and one that comes back, begin now.
	leaves.faults.Clear()
	restart(staying, coming, leaving)
	postCounted(t, g, "later", 5)
	await("comes", sums{accepted: 5, delivered: 5})
	await("stays", sums{accepted: 65, delivered: 65})
	// What comes back under its old name goes on with its sums; what came while it
	// was gone is not its own.
	await("leaves", sums{accepted: 55, delivered: 5, expired: 50})
	if rows := g.Query(`select 1 from deliveries where tracker = 'leaves' and outcome = 'expired'`); len(rows) != 50 {
		t.Errorf("%d rows are left of the tracker's first life, want 50", len(rows))
	}
	for name, v := range map[string]*vendor{"comes": comes, "leaves": leaves} {
		for _, e := range v.taken.Entries() {
			if id := idOf(t, e); !strings.HasPrefix(id, "later-") {
				t.Errorf("%s took an event from before its time: %s", name, id)
			}
		}
		if v.taken.Total() != 5 {
			t.Errorf("%s took %d events, want the five since it began", name, v.taken.Total())
		}
	}
	if a := g.Do(http.MethodGet, "/readyz", ""); a.Status != http.StatusOK {
		t.Errorf("/readyz answers %d", a.Status)
	}
}
