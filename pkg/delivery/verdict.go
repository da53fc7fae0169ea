package delivery

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// The bounds of what is recorded of a round trip, in bytes.
const (
	maxReason = 200
	maxError  = 1000
)

var errVerdicts = errors.New("tracker: the number of verdicts is not the number of events")

// judge has the tracker read the response. A tracker that fails at it must
// neither lose nor double events: an event that the vendor surely did not accept,
// or that can safely be sent again, is parked; the others are uncertain.
func (s *sender) judge(c *call) (verdicts []tracker.Verdict) {
	n := len(c.items)
	defer func() {
		cause := errVerdicts
		if p := recover(); p != nil {
			cause = fmt.Errorf("tracker panicked in Judge: %T", p)
			verdicts = nil
		}
		if len(verdicts) == n {
			return
		}
		v := tracker.Verdict{Action: tracker.Park, Reason: "the tracker could not read the answer"}
		if !s.traits.Dedup && c.roundTrip.response.Reach >= tracker.Written {
			v.Action = tracker.Uncertain
		}
		verdicts = tracker.Same(n, v)
		s.incidents.report("tracker", cause)
	}()
	if c.roundTrip.refused != nil {
		return tracker.Same(n, tracker.Verdict{Action: tracker.Wait, Reason: c.roundTrip.refused.Error(), Alarm: true})
	}
	verdicts = s.tracker.Judge(c.request, c.roundTrip.response)
	for i := range verdicts {
		verdicts[i].Reason = s.client.redact(verdicts[i].Reason)
	}
	return verdicts
}

// apply carries out the verdicts of a call. It returns what is to be sent
// again at once, and the verdict that says that the vendor accepts nothing.
func (s *sender) apply(c *call) (again [][]*item, outage *tracker.Verdict) {
	if !c.sent {
		return nil, nil
	}
	now := time.Now()
	s.recordBefore(c)
	s.recordRoundTrip(c)
	var rest, halve []*item
	for i, it := range c.items {
		v := &c.verdicts[i]
		it.attempts++
		reason := v.Reason
		switch v.Action {
		case tracker.Wait:
			it.failure = event.Truncate(reason, maxReason)
			if !c.halts() { // that says nothing of the others, so nothing is decided
				s.park(it, reason, v.After, now)
				c.describe(it)
				continue
			}
			if outage == nil || v.After > outage.After {
				outage = v
			}
			continue
		case tracker.Deliver:
			if c.precheck != nil { // it passed, or nothing would be delivered
				reason = cmp.Or(c.precheck.verdicts[i].Reason, reason)
			}
			c.decide(it, event.Delivered, reason, now)
			it.row.Error = ""
		case tracker.Reject:
			c.decide(it, event.Rejected, reason, now)
		case tracker.Park:
			s.park(it, reason, v.After, now)
		case tracker.Again:
			it.again++
			if it.again > maxAgain {
				s.park(it, reason, v.After, now)
				break
			}
			rest = append(rest, it)
		case tracker.Halve:
			if len(c.items) == 1 {
				c.decide(it, event.Rejected, reason, now)
				break
			}
			halve = append(halve, it)
		default:
			c.decide(it, event.Uncertain, reason, now)
		}
		it.answered = it.answered || it.state != pending
		if it.state == decided && it.row.Status == 0 { // its budget ran out
			c.describe(it)
		}
	}
	half := len(halve) / 2
	for _, b := range [][]*item{rest, halve[:half], halve[half:]} {
		if len(b) > 0 {
			again = append(again, b)
		}
	}
	return again, outage
}

// decide gives an event its row from a round trip.
func (c *call) decide(it *item, outcome event.Outcome, reason string, now time.Time) {
	it.decide(outcome, reason, now)
	c.describe(it)
}

func (c *call) describe(it *item) {
	it.row.Status = c.roundTrip.response.Status
	it.row.Error = event.Truncate(c.roundTrip.text, maxError)
	it.row.Latency = c.roundTrip.latency
	it.row.Attempts = it.attempts
}

// trip opens the breaker. serverFailed says that the vendor responded with 5xx.
func (s *sender) beginOutage(v tracker.Verdict, serverFailed bool) {
	now := time.Now()
	before := s.breaker.why
	why := event.Truncate(v.Reason, maxReason)
	s.breaker.trip(why, v.After, v.Alarm, serverFailed, now)
	if why == before {
		return
	}
	if v.Alarm {
		s.log.Error("vendor accepts nothing until somebody acts", "reason", why, "retry_at", s.breaker.due)
		return
	}
	s.log.Warn("vendor accepts nothing, will retry", "reason", why, "retry_at", s.breaker.due)
}
