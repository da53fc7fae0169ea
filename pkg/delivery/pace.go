package delivery

import (
	"errors"
	"fmt"
	"time"
)

const (
	reasonPace    = "its user sends more than the vendor takes"
	maxIdentities = 50_000 // counted in a minute; those beyond are not limited
)

// pace counts what is to be sent in whole minutes: for each identity, so that no
// more is sent than the vendor accepts of one; and in total, by the time of receipt, so
// that traffic which outgrows the vendor's rate is reported before the backlog shows it.
type pace struct {
	minute     int64
	identities map[string]int

	received int64 // the minute of receipt that is being counted
	traffic  int
	begun    bool // it was counted from its beginning
}

// wait reports whether an event of an identity must wait, and how long: until
// the minute in which those before it have left.
func (p *pace) wait(identity string, limit int, now time.Time) (delay time.Duration, over bool) {
	if minute := now.Unix() / 60; minute != p.minute || p.identities == nil {
		p.minute, p.identities = minute, make(map[string]int)
	}
	n, seen := p.identities[identity]
	if !seen && len(p.identities) >= maxIdentities {
		return 0, false
	}
	p.identities[identity] = n + 1
	if n < limit {
		return 0, false
	}
	next := time.Unix((p.minute+1)*60, 0)
	return next.Sub(now) + time.Duration((n-limit)/limit)*time.Minute, true
}

// count counts an event by its receipt. When that begins a new minute, and the
// one before was counted whole, it returns how many events that one had.
func (p *pace) count(receivedAt time.Time) (events int, whole bool) {
	minute := receivedAt.Unix() / 60
	switch {
	case minute < p.received:
		return 0, false // out of order, by clocks that differ
	case minute > p.received:
		events, whole = p.traffic, p.begun
		p.begun = p.received > 0
		p.received, p.traffic = minute, 0
	}
	p.traffic++
	return events, whole
}

// limitIdentity counts an event that is to be sent, and parks it where its identity
// has sent too much. Nothing is counted of a vendor without limits.
func (s *sender) limitIdentity(it *item, now time.Time) {
	if s.traits.Rate > 0 && !it.retry {
		if events, whole := s.pace.count(it.receivedAt); whole {
			s.checkTraffic(events)
		}
	}
	if s.traits.Identity == nil || s.traits.IdentityRate <= 0 || s.config.Mode != Live {
		return
	}
	identity := s.traits.Identity(&it.event)
	if identity == "" {
		return
	}
	wait, over := s.pace.wait(identity, s.traits.IdentityRate, now)
	if !over {
		return
	}
	s.metrics.paced.Inc()
	s.park(it, reasonPace, wait, now)
}

// checkTraffic compares a minute's traffic with what the vendor accepts.
func (s *sender) checkTraffic(events int) {
	limit := s.traits.Rate * 60
	s.metrics.traffic.Set(float64(events) / limit)
	over := float64(events) > limit
	if over && !s.overRate {
		s.log.Warn("more events come in than the tracker may send: its backlog grows", "events_per_minute", events, "accepted_per_minute", int(limit))
	}
	if over {
		s.incidents.report("traffic over the vendor's rate", fmt.Errorf("%d events in a minute, %d may be sent: %w", events, int(limit), errTraffic))
	}
	s.overRate = over
}

var errTraffic = errors.New("the backlog grows; send fewer events there by the plan, or raise the limit with the vendor")

// windowLimit is how many events one window sends: what the vendor accepts in
// one round of requests, or in a few seconds of its rate limit.
func (s *sender) windowLimit() int {
	limit := min(s.traits.MaxBatch*s.traits.Concurrency, maxRows)
	if s.traits.Rate > 0 {
		limit = min(limit, max(1, int(s.traits.Rate*rateWindow), s.traits.Burst))
	}
	if !s.traits.Dedup {
		limit = min(limit, s.uncertainLimit())
	}
	if s.breaker.state(time.Now()) != Closed {
		limit = min(limit, s.probeLimit())
	}
	return limit
}

// maxUncertainTime is about how long sending a window to a vendor without a dedup
// key may last: all of it is announced before, and uncertain if the process dies.
const maxUncertainTime = time.Second

// uncertainLimit is how many events such a window has: as many as the vendor
// accepted in that time of the last window, but at least one for each request at
// once. The first window may fill one request.
func (s *sender) uncertainLimit() int {
	if s.speed == 0 {
		return max(s.traits.Concurrency, s.traits.MaxBatch)
	}
	return max(s.traits.Concurrency, int(min(s.speed*maxUncertainTime.Seconds(), maxRows)))
}
