package warehouse

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// The first and the longest wait before the warehouse is tried again.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 30 * time.Second
)

// pause waits before the attempt after the given one: exponentially longer,
// with jitter over the upper half, and not less than err asks. It returns ctx's
// error when ctx ends first.
func pause(ctx context.Context, attempt int, err error) error {
	wait := longestPause
	if attempt < 10 {
		wait = min(firstPause<<(attempt-1), longestPause)
	}
	wait = wait/2 + rand.N(wait/2+1)
	if least, found := fault.RetryAfter(err); found {
		wait = max(wait, least)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
