package trackertest

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// NothingRefused sends batches of random events, up to 200 each, to spec.Fake. It
// fails if the fake refuses one, or if fewer than half of the events are sent. It
// uses Kind, Config, Fake and Passed of the spec. 500 batches (100,000 events) take
// some seconds. Under the race detector, which is ten times as slow, it sends a
// tenth of the batches.
func NothingRefused(t testing.TB, spec Spec, batches int) {
	t.Helper()
	verify(t, spec, nothingRefused((batches+slowdown-1)/slowdown))
}

// tally counts events by what the tracker did with them.
type tally struct{ events, sent, rejected int }

func nothingRefused(batches int) func(*check) {
	return func(k *check) {
		if k.spec.Fake == nil || batches < 1 {
			k.failf("the spec names no fake, or there are no batches")
			return
		}
		fake, n := k.spec.Fake(), tally{}
		size := max(min(k.traits.MaxBatch, 200), 1)
		for seed := range uint64(batches) {
			batch := Events(seed, size)
			requests, rejections := k.tracker.Requests(batch)
			n.events, n.rejected = n.events+len(batch), n.rejected+len(rejections)
			for _, req := range requests {
				n.sent += len(req.Events)
				if !k.taken(fake, seed, req) {
					return
				}
			}
		}
		if total, first := fake.Violations(); total > 0 {
			k.failf("%d rules broken, such as %q", total, first)
		}
		if fake.Taken() != n.sent || n.sent+n.rejected != n.events || n.events != batches*size {
			k.failf("%d events: %d sent, %d rejected; the fake took %d", n.events, n.sent, n.rejected, fake.Taken())
		}
		if n.sent < n.events/2 {
			k.failf("only %d of %d events are sent", n.sent, n.events)
		}
	}
}

// taken sends a request, after its Before, and reports whether all its events are
// delivered.
func (k *check) taken(fake Fake, batch uint64, req tracker.Request) bool {
	for _, one := range inOrder([]tracker.Request{req}) {
		verdicts := k.tracker.Judge(one, Perform(fake, one))
		if len(verdicts) != len(one.Events) {
			k.failf("batch %d: %d verdicts for %d events", batch, len(verdicts), len(one.Events))
			return false
		}
		before := one.Before == nil && req.Before != nil // one goes before req
		for i, v := range verdicts {
			if v.Action != tracker.Deliver || before && v.Reason != k.spec.Passed {
				_, first := fake.Violations()
				k.failf("batch %d, event %d, before it: %t: %v: %s\n%q", batch, one.Events[i], before, v.Action, v.Reason, first)
				return false
			}
		}
	}
	return true
}
