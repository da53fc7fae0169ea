package heap_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/heap"
	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

// build makes a tracker from a configuration.
func build(t testing.TB, configure func(*heap.Config)) (tracker.Tracker, tracker.Traits) {
	t.Helper()
	return trackertest.Build(t, heap.Kind(), configure)
}

// facingFake is this vendor as the tests of all vendors know it, with more lines of
// configuration.
func facingFake(more string) trackertest.Spec {
	return trackertest.Spec{Kind: heap.Kind(), Config: "appId: \"2183640915\"\nanonymous: hash" + more, Fake: func() trackertest.Fake {
		s := heaptest.New(heaptest.Options{})
		return trackertest.NewFake(s, s.Taken, &s.Violations)
	}}
}

// Whatever a plan lets through, the strict stand-in takes all that is sent of
// 100,000 events, and most of them are sent.
func TestTheVendorRefusesNothingThatIsSent(t *testing.T) {
	trackertest.NothingRefused(t, facingFake(""), 500)
}
