package trackertest_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

// broken is at least one tracker for each clause that must fail by it.
func broken() map[string]map[string]func(*twin) {
	all := brokenConfigurations()
	maps.Copy(all, brokenRequests())
	maps.Copy(all, brokenVerdicts())
	return all
}

func TestTheSoundTrackerPasses(t *testing.T) {
	if faults := trackertest.Faults(spec(t, sound())); len(faults) > 0 {
		t.Errorf("%v", faults)
	}
	trackertest.Run(t, spec(t, sound()))
}

func TestEachBrokenTrackerFailsItsClause(t *testing.T) {
	for clause, twins := range broken() {
		for name, breakIt := range twins {
			t.Run(clause+"/"+name, func(t *testing.T) {
				w := sound()
				breakIt(&w)
				if faults := trackertest.FaultsOf(spec(t, w), clause); len(faults) == 0 {
					t.Error("the clause holds")
				}
			})
		}
	}
}

func TestEveryClauseHasABrokenTracker(t *testing.T) {
	twins := broken()
	for _, name := range trackertest.Clauses() {
		if len(twins[name]) == 0 {
			t.Errorf("no tracker is broken for the clause %q", name)
		}
	}
}

func TestUpdateWritesWhatIsComparedLater(t *testing.T) {
	s := spec(t, sound())
	s.Golden = t.TempDir()
	if faults := trackertest.FaultsOf(s, "golden requests"); len(faults) == 0 {
		t.Error("missing golden files are no fault")
	}
	s.Update = true
	if faults := trackertest.FaultsOf(s, "golden requests"); len(faults) > 0 {
		t.Errorf("update: %v", faults)
	}
	s.Update = false
	if faults := trackertest.FaultsOf(s, "golden requests"); len(faults) > 0 {
		t.Errorf("after update: %v", faults)
	}
}

func TestEventsAreTheSameForTheSameSeed(t *testing.T) {
	a, b, c := trackertest.Events(1, 50), trackertest.Events(1, 50), trackertest.Events(2, 50)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("the same seed gives different events")
	}
	if fmt.Sprint(a) == fmt.Sprint(c) {
		t.Error("different seeds give the same events")
	}
}
