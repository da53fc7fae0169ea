package delivery

import (
	"context"
	"errors"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// performBefore performs the request before a call's own, if there is one, and
// reports whether the call goes on. If not, that request's round trip and
// verdicts become the call's. The request delivers no event, so no event is
// uncertain.
func (s *sender) performBefore(work context.Context, c *call) bool {
	if c.request.Before == nil {
		return true
	}
	c.precheck = &call{items: c.items, request: *c.request.Before}
	c.precheck.roundTrip = s.client.do(work, &c.precheck.request)
	c.precheck.verdicts = s.judge(c.precheck)
	if c.precheck.passed() {
		return true
	}
	c.request, c.roundTrip = c.precheck.request, c.precheck.roundTrip
	for _, v := range c.precheck.verdicts {
		switch v.Action {
		case tracker.Deliver:
			v.Action, v.Reason = tracker.Again, "refused for another event of its request"
		case tracker.Uncertain:
			v.Action = tracker.Park
		}
		c.verdicts = append(c.verdicts, v)
	}
	return false
}

// passed reports whether the vendor accepted all events of the call.
func (c *call) passed() bool {
	return !slices.ContainsFunc(c.verdicts, func(v tracker.Verdict) bool { return v.Action != tracker.Deliver })
}

// recordBefore counts the results of the request before a call's own. It reports
// an incident when that request refused events: in the call's own request the
// vendor would have dropped them without an error.
func (s *sender) recordBefore(c *call) {
	if c.precheck == nil {
		return
	}
	if c.precheck.passed() {
		s.metrics.before.WithLabelValues("passed").Add(float64(len(c.items)))
		s.recordRoundTrip(c.precheck)
		return
	}
	var refused []*item
	reason := ""
	for i, v := range c.precheck.verdicts {
		result := "waiting"
		if v.Action == tracker.Reject || v.Action == tracker.Halve && len(c.items) == 1 {
			result = "refused"
			refused, reason = append(refused, c.items[i]), v.Reason
		}
		s.metrics.before.WithLabelValues(result).Inc()
	}
	if status := c.roundTrip.response.Status; len(refused) > 0 && status >= 200 && status < 300 {
		s.incidents.reportRoundTrip("validation", errors.New(event.Truncate(reason, maxReason)), &call{items: refused, request: c.request, roundTrip: c.roundTrip})
	}
}
