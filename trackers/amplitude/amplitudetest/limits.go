package amplitudetest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// The vendor's limits over time.
const (
	rateSpan   = 30 * time.Second // over which events a second are averaged
	dailyQuota = 500_000          // events of one user or device in 24 hours (Batch)
	updates    = 1_800            // updates of one user's properties in an hour
)

// What Amplitude advises for its Starter plan.
const (
	starterEvents  = 10    // of one request
	starterRate    = 1_000 // events a second
	starterBatches = 100   // requests a second
)

// maxCounted bounds how many ids are counted at once.
const maxCounted = 1 << 16

// counter counts what each id does within a span of time. Without a clock it
// counts nothing.
type counter struct {
	span time.Duration
	now  func() time.Time
	ids  map[string]*count
}

type count struct {
	since time.Time
	n     int
}

func newCounter(span time.Duration, now func() time.Time) *counter {
	return &counter{span: span, now: now, ids: map[string]*count{}}
}

// over counts one more of an id and reports whether that is more than limit.
func (c *counter) over(id string, limit int) bool {
	if c.now == nil {
		return false
	}
	now := c.now()
	n := c.ids[id]
	if n == nil || now.Sub(n.since) >= c.span {
		if len(c.ids) >= maxCounted {
			clear(c.ids)
		}
		n = &count{since: now}
		c.ids[id] = n
	}
	n.n++
	return n.n > limit
}

// countUpdates counts the updates of properties: Amplitude silently drops those beyond
// its limit.
func (s *Server) countUpdates(e sentEvent) {
	if e.members["user_properties"] == nil {
		return
	}
	for _, id := range [...]string{e.text("user_id"), e.text("device_id")} {
		if id != "" && s.updates.over(id, updates) {
			s.Violations.Add(vendortest.Violation{Rule: "User properties dropped", Detail: "more than 1,800 updates of one user in an hour"})
			return
		}
	}
}

// advise holds a request against what is advised for the Starter plan.
func (s *Server) advise(sent upload) {
	if !s.options.Starter {
		return
	}
	broken := func(format string, args ...any) {
		s.Violations.Add(vendortest.Violation{Rule: "Starter plan", Detail: fmt.Sprintf(format, args...)})
	}
	if n := len(sent.Events); n > starterEvents {
		broken("%d events in a request, more than %d", n, starterEvents)
	}
	if s.starter.over("requests", starterBatches) {
		broken("more than %d requests a second", starterBatches)
	}
	for range sent.Events {
		if s.starter.over("events", starterRate) {
			broken("more than %d events a second", starterRate)
			return
		}
	}
}

// limit holds what Limit was told, and the rates, against the users and devices
// of a request.
func (s *Server) limit(sent upload, l limits) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advise(sent)
	a := answer{
		Code: http.StatusOK, EPSThreshold: l.perSecond,
		ThrottledUsers: map[string]int{}, ThrottledDevices: map[string]int{}, QuotaUsers: map[string]int{}, QuotaDevices: map[string]int{},
	}
	for i, e := range sent.Events {
		throttled := false
		s.countUpdates(e)
		for _, who := range [...]struct {
			id       string
			over     map[string]int
			quota    map[string]int
			isDevice bool
		}{{e.text("user_id"), a.ThrottledUsers, a.QuotaUsers, false}, {e.text("device_id"), a.ThrottledDevices, a.QuotaDevices, true}} {
			if who.id == "" {
				continue
			}
			switch limit := s.verdicts[who.id]; {
			case limit == Silenced && who.isDevice:
				a.Code, a.Error = http.StatusBadRequest, "Events silenced for device_id"
				a.SilencedDevices = append(a.SilencedDevices, who.id)
				a.SilencedEvents = append(a.SilencedEvents, i)
			case limit == OverQuota, l.daily > 0 && s.daily.over(who.id, l.daily):
				who.quota[who.id] = dailyQuota + 200
				throttled = true
			case limit == Throttled, s.rates.over(who.id, l.perSecond*int(rateSpan/time.Second)):
				who.over[who.id] = l.perSecond + 1
				throttled = true
			}
		}
		if throttled {
			a.ThrottledEvents = append(a.ThrottledEvents, i)
		}
	}
	if a.Code == http.StatusOK && len(a.ThrottledEvents) > 0 {
		a.Code, a.Error = http.StatusTooManyRequests, "Too many requests for some devices and users"
	}
	if a.Code == http.StatusOK {
		return answer{Code: http.StatusOK}
	}
	return a
}
