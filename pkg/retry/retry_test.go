package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

func TestDelayGrowsUpToMax(t *testing.T) {
	b := retry.Backoff{Min: time.Second, Max: time.Minute}
	for n := range 100 {
		ceiling := b.Max
		if n < 6 {
			ceiling = min(b.Max, b.Min<<max(n, 1))
		}
		longest := time.Duration(0)
		for range 200 {
			d := b.Delay(n, nil)
			if d < b.Min || d > ceiling {
				t.Fatalf("failure %d: %v, want %v to %v", n, d, b.Min, ceiling)
			}
			longest = max(longest, d)
		}
		if longest < ceiling/2 {
			t.Errorf("failure %d: never above %v in 200 draws, want up to %v", n, longest, ceiling)
		}
	}
}

func TestDelayIsNotBelowWhatTheErrorAsks(t *testing.T) {
	b := retry.Backoff{Min: time.Millisecond, Max: time.Second}
	if d := b.Delay(1, fault.After(errors.New("busy"), time.Hour)); d != time.Hour {
		t.Errorf("%v, want 1h", d)
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if err := retry.Sleep(t.Context(), time.Hour); err != nil || time.Since(begin) != time.Hour {
			t.Errorf("slept %v (%v), want 1h", time.Since(begin), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin = time.Now()
		if err := retry.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("slept %v (%v), want 1m and the context's error", time.Since(begin), err)
		}
		if err := retry.Sleep(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v for 0 with an ended context, want the context's error", err)
		}
	})
}
