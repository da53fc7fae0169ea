package delivery

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// The bounds of what is recorded of an exchange, in bytes.
const (
	maxReason = 200
	maxError  = 1000
)

var errVerdicts = errors.New("tracker: the number of verdicts is not the number of events")

// judge has the tracker read the answer. A tracker that fails at it must
// neither lose events nor double them: what was surely not taken, or can safely
// be repeated, waits; the rest is uncertain.
func (l *Lane) judge(c *call) (verdicts []tracker.Verdict) {
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
		if !l.traits.Dedup && c.exchange.response.Reach >= tracker.Written {
			v.Action = tracker.Uncertain
		}
		verdicts = tracker.Same(n, v)
		l.internal("tracker", cause)
	}()
	if c.exchange.refused != nil {
		return tracker.Same(n, tracker.Verdict{Action: tracker.Wait, Reason: c.exchange.refused.Error(), Alarm: true})
	}
	return l.tracker.Judge(c.request, c.exchange.response)
}

// apply carries out the verdicts of a call. It returns what is to be sent
// again at once, and the verdict that says that the vendor takes nothing.
func (l *Lane) apply(c *call) (again []task, outage *tracker.Verdict) {
	if !c.sent {
		return nil, nil
	}
	now := time.Now()
	l.observePreliminary(c)
	l.observe(c.items, &c.request, &c.exchange)
	answer := l.answer(c)
	var rest, halve []*item
	for i, it := range c.items {
		v := &c.verdicts[i]
		it.attempts++
		reason := l.client.redact(v.Reason)
		switch v.Action {
		case tracker.Wait:
			it.failure = cut(reason, maxReason)
			if !c.halts() { // that says nothing of the others, so it settles nothing
				l.parkLater(it, reason, v.After, now)
				c.describe(it, answer)
				continue
			}
			if outage == nil || v.After > outage.After {
				outage = v
			}
			continue
		case tracker.Deliver:
			c.settle(it, event.Delivered, cmp.Or(l.client.redact(c.first.reason(i)), reason), "", now)
		case tracker.Reject:
			c.settle(it, event.Rejected, reason, answer, now)
		case tracker.Park:
			l.parkLater(it, reason, v.After, now)
		case tracker.Again:
			it.again++
			if it.again > maxAgain {
				l.parkLater(it, reason, v.After, now)
				break
			}
			rest = append(rest, it)
		case tracker.Halve:
			if len(c.items) == 1 {
				c.settle(it, event.Rejected, reason, answer, now)
				break
			}
			halve = append(halve, it)
		default:
			c.settle(it, event.Uncertain, reason, answer, now)
		}
		it.settled = it.settled || it.state != open
		if it.state == decided && it.row.Status == 0 { // its budget ran out
			c.describe(it, answer)
		}
	}
	if len(rest) > 0 {
		again = append(again, task{rest})
	}
	if n := len(halve); n > 1 {
		again = append(again, task{halve[:n/2]}, task{halve[n/2:]})
	} else if n == 1 {
		again = append(again, task{halve})
	}
	return again, outage
}

// settle gives an event its row from an exchange.
func (c *call) settle(it *item, outcome event.Outcome, reason, answer string, now time.Time) {
	it.decide(outcome, reason, now)
	c.describe(it, answer)
}

func (c *call) describe(it *item, answer string) {
	it.row.Status = c.exchange.response.Status
	it.row.Error = answer
	it.row.Latency = c.exchange.latency
	it.row.Attempts = it.attempts
}

// answer is what the vendor said, or why it said nothing, fit to be stored.
func (l *Lane) answer(c *call) string {
	text := c.exchange.response.Body
	if c.exchange.response.Err != nil {
		text = []byte(c.exchange.response.Err.Error())
	}
	return cut(l.clean(text), maxError)
}

// clean is the beginning of what was sent or said, as valid UTF-8 without
// secrets and personal data.
func (l *Lane) clean(text []byte) string {
	return l.deps.Sanitize(strings.ToValidUTF8(l.client.excerpt(text, 2*maxIncidentBody), "\uFFFD"))
}

// cut shortens s to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// trip opens the breaker. broken says that the vendor answered, and failed.
func (l *Lane) trip(v tracker.Verdict, broken bool) {
	now := time.Now()
	before := l.breaker.why
	why := cut(l.client.redact(v.Reason), maxReason)
	l.breaker.trip(why, v.After, v.Alarm, broken, now)
	if why == before {
		return
	}
	if v.Alarm {
		l.log.Error("vendor takes nothing until somebody acts", "reason", why, "retry_at", l.breaker.due)
		return
	}
	l.log.Warn("vendor takes nothing, will retry", "reason", why, "retry_at", l.breaker.due)
}
