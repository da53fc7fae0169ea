package delivery

import (
	"net/http"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// An event to which a vendor responds with 5xx looks like an outage. After
// Config.IsolateAfter failures in a row, which the back-off spreads over minutes,
// the lane probes with events one at a time, each in a request of its own. If the
// vendor accepts any of them, it is not down: those that it failed on are parked
// with a budget. If it accepts none, it is down, and nothing is parked.
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
// group of its own, the others share one.
func (s *sender) portions(items []*item) [][]*item {
	var together []*item
	var tasks [][]*item
	for _, it := range items {
		if it.alone || s.isolating() {
			tasks = append(tasks, []*item{it})
		} else {
			together = append(together, it)
		}
	}
	return append([][]*item{together}, tasks...)
}

// waits reports whether the vendor's response has an event of the call wait.
func (c *call) waits() bool {
	return slices.ContainsFunc(c.verdicts, func(v tracker.Verdict) bool { return v.Action == tracker.Wait })
}

// serverFailed reports whether the vendor responded that it failed, and an event
// waits for that.
func (c *call) serverFailed() bool {
	x := c.roundTrip.response
	return c.sent && x.Reach == tracker.Answered && x.Status >= http.StatusInternalServerError && c.waits()
}

// alone reports whether the call carries an event that is always sent alone.
func (c *call) alone() bool { return len(c.items) == 1 && c.items[0].alone }

// halts reports whether the response to the call means that the vendor accepts
// nothing more. A failure on an event that is always sent alone does not count: the
// vendor failed on it before.
func (c *call) halts() bool { return c.waits() && !(c.alone() && c.serverFailed()) }

// parkIsolated parks the events on which the vendor failed while it accepted
// others. From now on each is sent alone.
func (s *sender) parkIsolated(failed []*call) {
	now := time.Now()
	for _, c := range failed {
		it := c.items[0]
		it.alone = true
		s.park(it, it.failure, 0, now)
		it.answered = true
		if it.state == decided {
			c.describe(it)
		}
		s.isolated = now
		s.metrics.isolated.Inc()
		s.log.Warn("vendor fails on an event while it accepts others: it is sent alone from now on", "receipt", s.incidents.receipt(it), "reason", it.failure)
	}
}
