package trackertest

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Build makes a tracker of a kind whose configuration is a C, for a vendor's own
// tests: configure is given the defaults, in place of a file. The test fails when
// the configuration is refused.
func Build[C any](t testing.TB, kind tracker.Kind, configure func(*C)) (tracker.Tracker, tracker.Traits) {
	t.Helper()
	built, traits, err := kind.Build(func(into any) error {
		configure(into.(*C))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return built, traits
}
