package amplitude_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

// build makes a tracker from a configuration.
func build(t testing.TB, configure func(*amplitude.Config)) (tracker.Tracker, tracker.Traits) {
	t.Helper()
	return trackertest.Build(t, amplitude.Kind(), configure)
}

// facingFake is this vendor as the tests of all vendors know it, with more lines of
// configuration.
func facingFake(more string) trackertest.Spec {
	return trackertest.Spec{Kind: amplitude.Kind(), Config: "apiKey: not-a-real-key" + more, Fake: func() trackertest.Fake {
		s := amplitudetest.New(amplitudetest.Options{})
		return trackertest.NewFake(s, s.Taken, &s.Violations)
	}}
}

// Whatever a plan lets through, the strict stand-in takes all that is sent of
// 100,000 events, and most of them are sent.
func TestTheVendorRefusesNothingThatIsSent(t *testing.T) {
	trackertest.NothingRefused(t, facingFake("\nforwardIP: true\nidentify: Article Shared"), 500)
}
