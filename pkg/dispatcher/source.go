package dispatcher

import (
	"errors"
	"math"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// noSource stands for requests whose key is not known, in metrics.
const noSource = "none"

// source is a configured Source with what its requests need.
type source struct {
	name    string
	limiter *rate.Limiter // nil: no limit
	browser Browser
	metrics sourceMetrics
	// The allowed origins; none at all allow any.
	exact     map[string]struct{}
	wildcards []origin
}

// newSource makes a source of one that passed its check.
func newSource(c Source, maxEvents int, m *metrics) *source {
	s := &source{name: c.Name, browser: c.Browser, metrics: m.of(c.Name), exact: map[string]struct{}{}}
	for _, configured := range c.Origins {
		if allowed, _ := parseOrigin(configured); allowed.exact != "" {
			s.exact[allowed.exact] = struct{}{}
		} else {
			s.wildcards = append(s.wildcards, allowed)
		}
	}
	if c.Rate > 0 {
		burst := c.Burst
		if burst == 0 {
			burst = max(maxEvents, int(math.Ceil(float64(c.Rate))))
		}
		s.limiter = rate.NewLimiter(rate.Limit(c.Rate), burst)
	}
	return s
}

// reserve counts n events against the source's rate. It returns how long to wait
// when the rate does not allow them yet; possible is false when it never will,
// because the batch is above the burst.
func (s *source) reserve(n int, now time.Time) (wait time.Duration, possible bool) {
	if s.limiter == nil || n == 0 {
		return 0, true
	}
	r := s.limiter.ReserveN(now, n)
	if !r.OK() {
		return 0, false
	}
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait, true
}

// origin is one allowed web origin: exact, or with a wildcard first label.
type origin struct {
	exact          string // "https://example.com"
	scheme, suffix string // "https://", ".example.com" or ".example.com:8443"
}

var errOrigin = errors.New("want scheme://host or scheme://host:port in lower case, such as https://example.com, or https://*.example.com for the names below it; no path")

// parseOrigin reads one of a source's origins, written as browsers write them.
func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	if err != nil || s != strings.ToLower(s) {
		return origin{}, errOrigin
	}
	host := u.Hostname()
	if u.Scheme != "http" && u.Scheme != "https" || host == "" || u.Scheme+"://"+u.Host != s {
		return origin{}, errOrigin
	}
	if port := u.Port(); port == "" && strings.HasSuffix(u.Host, ":") ||
		u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return origin{}, errors.New("leave out the scheme's own port: browsers do")
	}
	rest, wild := strings.CutPrefix(host, "*.")
	if strings.Contains(rest, "*") || wild && !strings.Contains(rest, ".") {
		return origin{}, errors.New("a wildcard is allowed only as the first label above a domain, such as https://*.example.com")
	}
	if wild {
		return origin{scheme: u.Scheme + "://", suffix: strings.TrimPrefix(u.Host, "*")}, nil
	}
	return origin{exact: s}, nil
}

// allow reports whether a page of the origin may send events.
func (s *source) allow(from string) bool {
	if len(s.exact)+len(s.wildcards) == 0 {
		return true
	}
	if _, found := s.exact[from]; found {
		return true
	}
	for _, w := range s.wildcards {
		host, secure := strings.CutPrefix(from, w.scheme)
		if !secure {
			continue
		}
		below, found := strings.CutSuffix(host, w.suffix)
		if found && below != "" && !strings.ContainsAny(below, "/:@") {
			return true
		}
	}
	return false
}
