package amplitudetest

import (
	"net/http"
	"time"
)

// rateSpan is how long the vendor averages over.
const rateSpan = 30 * time.Second

// maxRated bounds how many ids are counted at once.
const maxRated = 1 << 16

// rate counts one id's events within the current span.
type rate struct {
	since time.Time
	count int
}

// limit holds what Limit was told, and the rates, against the users and devices
// of a request.
func (s *Server) limit(sent upload, l limits) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := answer{
		Code: http.StatusOK, EPSThreshold: l.perSecond,
		ThrottledUsers: map[string]int{}, ThrottledDevices: map[string]int{}, QuotaUsers: map[string]int{}, QuotaDevices: map[string]int{},
	}
	for i, e := range sent.Events {
		throttled := false
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
			case limit == OverQuota:
				who.quota[who.id] = 500_200
				throttled = true
			case limit == Throttled, s.tooFast(who.id, l.perSecond):
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

// tooFast counts one event of an id and reports whether its average is over the limit.
func (s *Server) tooFast(id string, perSecond int) bool {
	if s.options.Now == nil {
		return false
	}
	now := s.options.Now()
	r := s.rates[id]
	if r == nil || now.Sub(r.since) >= rateSpan {
		if len(s.rates) >= maxRated {
			clear(s.rates)
		}
		r = &rate{since: now}
		s.rates[id] = r
	}
	r.count++
	return r.count > perSecond*int(rateSpan/time.Second)
}
