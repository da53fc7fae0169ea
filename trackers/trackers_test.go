package trackers_test

import (
	"os"
	"path/filepath"
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

// Whoever adds a vendor adds its tests: conformance and fuzz targets, and rules that
// a stand-in holds requests against.
func TestEveryVendorIsTestedAlike(t *testing.T) {
	for _, kind := range trackers.All() {
		files, err := filepath.Glob(filepath.Join(kind.Name, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no tests, %v", kind.Name, err)
		}
		var source strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
		wanted := []string{"trackertest.Run(", "NothingRefused(", "trackertest.FuzzRequests(", "trackertest.FuzzJudge(", "trackertest.BenchmarkRequests("}
		if kind.Name == "http" {
			wanted = wanted[:1] // it is nobody's API: its tests are of programs
		} else if _, err := os.Stat(filepath.Join(kind.Name, kind.Name+"test")); err != nil {
			t.Errorf("%s: no stand-in: %v", kind.Name, err)
		}
		for _, want := range wanted {
			if !strings.Contains(source.String(), want) {
				t.Errorf("%s: its tests lack %s; see docs/TRACKERS.md", kind.Name, want)
			}
		}
	}
}
