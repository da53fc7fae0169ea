package trackers_test

import (
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/trackers"
)

func TestKindsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range trackers.All() {
		if kind.Name == "" || kind.Summary == "" || kind.Build == nil || seen[kind.Name] {
			t.Errorf("kind %q: want a name of its own, a summary and a build function", kind.Name)
		}
		seen[kind.Name] = true
	}
	if len(seen) == 0 {
		t.Error("no kinds")
	}
}

// The list is the caller's: appending to it or changing it changes nobody else's.
func TestTheListIsTheCallers(t *testing.T) {
	trackers.All()[0].Name = "changed"
	if strings.Contains(trackers.All()[0].Name, "changed") {
		t.Error("a caller can change the list")
	}
}
