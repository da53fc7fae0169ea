package http_test

import (
	nethttp "net/http"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

// vendor is a strict stand-in: it answers as the vendor does, and says which
// rules a request broke. It knows nothing of the programs.
type vendor interface {
	nethttp.Handler
	broken() []string
	stored() int
}

// What the examples send is taken, all of it, whatever a plan lets through.
func TestTheExamplesSendWhatTheVendorsTake(t *testing.T) {
	batches := 10
	if testing.Short() {
		batches = 3
	}
	for name, v := range map[string]vendor{"mixpanel": &mixpanel{}, "posthog": &posthog{}} {
		t.Run(name, func(t *testing.T) {
			built, _ := build(t, example(t, name))
			sent, events := 0, 0
			for seed := range uint64(batches) {
				batch := trackertest.Events(seed, 300)
				events += len(batch)
				requests, _ := built.Requests(batch)
				for _, req := range requests {
					sent += len(req.Events)
					for i, verdict := range built.Judge(req, trackertest.Perform(v, req)) {
						if verdict.Action != tracker.Deliver {
							t.Fatalf("batch %d, event %d: %s: %v", seed, req.Events[i], verdict.Reason, v.broken()[:1])
						}
					}
				}
			}
			if v.stored() != sent || sent < events*9/10 {
				t.Errorf("%d events, %d sent, the vendor stored %d", events, sent, v.stored())
			}
		})
	}
}
