package delivery

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// An event to which a vendor responds with 5xx looks like an outage: the breaker
// opens, and what comes after the event waits with it. After Config.IsolateAfter
// failures in a row, which the back-off spreads over minutes, the lane therefore
// probes with events one at a time, each in a request of its own. If the vendor
// accepts any of them, it is not down: those that it failed on are parked with a
// budget and from then on always sent alone. If it accepts none, it is down, and
// nothing is parked.
const (
	isolateAgain  = 2         // instead of Config.IsolateAfter, when an event was found not long ago
	isolateMemory = time.Hour // how long that is
	maxIsolated   = 32        // events of one such probe
)

// isolating reports whether the next probe sends events one at a time.
func (s *sender) isolating() bool {
	after := s.config.IsolateAfter
	if !s.isolated.IsZero() && time.Since(s.isolated) < isolateMemory {
		after = isolateAgain
	}
	return s.breaker.serverFailures >= after
}

// probeLimit is how many events a half-open breaker lets through. While events
// are sent one at a time they become more with each probe of which none was
// taken: the first few may all be such that the vendor fails on them.
func (s *sender) probeLimit() int {
	if !s.isolating() {
		return probeEvents
	}
	return min(maxIsolated, probeEvents<<min(s.breaker.isolations, 3))
}

// portions groups the events to translate: each event that is sent alone has a
// batch of its own, the others share one.
func (s *sender) portions(items []*item) []batch {
	var together batch
	var tasks []batch
	for _, it := range items {
		if it.alone || s.isolating() {
			tasks = append(tasks, batch{[]*item{it}})
		} else {
			together.items = append(together.items, it)
		}
	}
	return append([]batch{together}, tasks...)
}

// waits reports whether the vendor's response has an event of the call wait.
func (c *call) waits() bool {
	return slices.ContainsFunc(c.verdicts, func(v tracker.Verdict) bool { return v.Action == tracker.Wait })
}

// serverFailed reports whether the vendor responded that it failed, and an event
// waits for that.
func (c *call) serverFailed() bool {
	x := c.trip.response
	return c.sent && x.Reach == tracker.Answered && x.Status >= http.StatusInternalServerError && c.waits()
}

// alone reports whether the call carries an event that is always sent alone.
func (c *call) alone() bool { return len(c.items) == 1 && c.items[0].alone }

// halts reports whether the response to the call means that the vendor accepts
// nothing more. A failure on an event that is always sent alone does not count: the
// vendor failed on it before.
func (c *call) halts() bool { return c.waits() && !(c.alone() && c.serverFailed()) }

// isolate sends calls of one event each, one after the other, also when the
// vendor fails on some of them.
func (s *sender) isolate(ctx, work context.Context, calls []*call) {
	s.breaker.isolations++
	var failed []*call
	var outage *tracker.Verdict
	var follow []batch
	passed := false
	for _, c := range calls {
		if s.allow(ctx, len(c.items)) != nil {
			break
		}
		s.roundTrip(work, c)
		tasks, wait := s.apply(c)
		follow = append(follow, tasks...)
		switch {
		case wait != nil && c.serverFailed():
			failed, outage = append(failed, c), wait
			continue
		case wait == nil:
			passed = passed || !c.serverFailed()
			continue
		}
		s.stopIsolating(ctx, failed, passed, wait, false) // an outage, whatever the event
		return
	}
	s.stopIsolating(ctx, failed, passed, outage, true)
	if calls := s.translate(follow); passed && len(calls) > 0 {
		s.send(ctx, work, calls)
	}
}

// stopIsolating parks what the vendor failed on, if it took anything else.
// Otherwise the breaker opens again.
func (s *sender) stopIsolating(ctx context.Context, failed []*call, passed bool, outage *tracker.Verdict, serverFailed bool) {
	if passed {
		now := time.Now()
		for _, c := range failed {
			it := c.items[0]
			it.alone = true
			s.park(it, it.failure, 0, now)
			it.settled = true
			if it.state == decided {
				c.describe(it)
			}
			s.isolated = now
			s.metrics.isolated.Inc()
			s.log.Warn("vendor fails on an event while it takes others: it is sent alone from now on", "receipt", s.incidents.receipt(it), "reason", it.failure)
		}
	}
	switch {
	case ctx.Err() != nil:
	case outage != nil && (!passed || !serverFailed):
		s.trip(*outage, serverFailed)
	case passed && s.breaker.reset():
		s.log.Info("vendor takes events again")
	}
}
