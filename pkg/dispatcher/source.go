package dispatcher

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"
)

// noSource stands for requests whose key is not known, in metrics.
const noSource = "none"

// source is a configured Source with what its requests need.
type source struct {
	name    string
	origins origins
	limiter *rate.Limiter // nil: no limit
	browser Browser
	metrics sourceMetrics
}

func newSource(c Source, maxEvents int, m *metrics) (*source, error) {
	allowed, err := newOrigins(c.Origins)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", c.Name, err)
	}
	s := &source{name: c.Name, origins: allowed, browser: c.Browser, metrics: m.of(c.Name)}
	if c.Rate > 0 {
		burst := c.Burst
		if burst == 0 {
			burst = max(maxEvents, int(math.Ceil(float64(c.Rate))))
		}
		s.limiter = rate.NewLimiter(rate.Limit(c.Rate), burst)
	}
	return s, nil
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
