package delivery

import (
	"time"

	"github.com/sparrow-edge/sparrow/pkg/retry"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// The breaker's and the parked events' back-off.
const (
	minBackoff  = time.Second
	maxBackoff  = 5 * time.Minute
	probeEvents = 5 // how many events a half-open breaker lets through
)

// BreakerState says whether a lane sends.
type BreakerState string

// The states of a breaker.
const (
	Closed   BreakerState = "closed"    // the vendor accepts events
	Open     BreakerState = "open"      // the vendor accepts nothing: the cursor waits
	HalfOpen BreakerState = "half-open" // a few events are sent as a probe
)

// breaker keeps a lane from calling a vendor that accepts nothing.
type breaker struct {
	failures       int // in a row
	serverFailures int // of these, the last ones at which the vendor responded with 5xx
	isolations     int // probes of single events, in a row
	due            time.Time
	since          time.Time // of the outage
	why            string
	alarm          bool
}

func (b *breaker) state(now time.Time) BreakerState {
	switch {
	case b.failures == 0:
		return Closed
	case now.Before(b.due):
		return Open
	default:
		return HalfOpen
	}
}

// trip opens the breaker, or opens it again after a probe that failed.
func (b *breaker) trip(why string, after time.Duration, alarm, serverFailed bool, now time.Time) {
	if b.failures == 0 {
		b.since = now
	}
	b.failures++
	b.serverFailures++
	if !serverFailed {
		b.serverFailures, b.isolations = 0, 0
	}
	b.why, b.alarm = why, alarm
	b.due = now.Add(delay(b.failures, after))
}

// reset closes the breaker. It reports whether it was not closed before.
func (b *breaker) reset() bool {
	was := b.failures > 0
	*b = breaker{}
	return was
}

// delay is how long to wait before the attempt after the n-th failure: an
// exponential back-off with full jitter, and not sooner than the vendor
// asks, up to tracker.MaxRetryAfter.
func delay(n int, after time.Duration) time.Duration {
	wait := retry.Backoff{Min: minBackoff, Max: maxBackoff}.Delay(n, nil)
	return max(wait, min(after, tracker.MaxRetryAfter))
}
