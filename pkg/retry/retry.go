// Package retry says how long to wait before something that failed is tried
// again, and waits.
//
// Waits grow exponentially and are random: processes that failed together do not
// come back together.
package retry

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Backoff is an exponential back-off: before attempt n+1 it waits a random time
// from Min to Min·2ⁿ, and never longer than Max. Both must be above 0, and Max
// not below Min.
type Backoff struct {
	Min, Max time.Duration
}

// Delay returns how long to wait after the n-th failure in a row, counted from 1.
// If err carries a fault.RetryAfter, the delay is not below that.
func (b Backoff) Delay(n int, err error) time.Duration {
	ceiling := b.Max
	if n < 30 { // beyond that the shift could overflow
		if grown := b.Min << max(n, 1); grown > 0 {
			ceiling = min(b.Max, grown)
		}
	}
	wait := b.Min + rand.N(ceiling-b.Min+1)
	if least, found := fault.RetryAfter(err); found {
		wait = max(wait, least)
	}
	return wait
}

// Sleep waits for d. It returns ctx's error if ctx ends first, and at once for
// a d that is not above 0.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
