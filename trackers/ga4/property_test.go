package ga4_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/ga4"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

// build makes a tracker from a configuration.
func build(t testing.TB, configure func(*ga4.Config)) (tracker.Tracker, tracker.Traits) {
	t.Helper()
	return trackertest.Build(t, ga4.Kind(), configure)
}

// facingFake is this vendor as the tests of all vendors know it, with more lines of
// configuration.
func facingFake(more string) trackertest.Spec {
	return trackertest.Spec{Kind: ga4.Kind(), Config: "measurementId: G-TEST123456\napiSecret: not-a-real-secret" + more, Fake: func() trackertest.Fake {
		s := ga4test.New(ga4test.Options{})
		return trackertest.NewFake(s, s.Taken, &s.Violations)
	}}
}

// Whatever a plan lets through, the strict stand-in takes all that is sent of
// 100,000 events, and most of them are sent.
func TestTheVendorRefusesNothingThatIsSent(t *testing.T) {
	trackertest.NothingRefused(t, facingFake("\nforwardIP: true"), 500)
}
