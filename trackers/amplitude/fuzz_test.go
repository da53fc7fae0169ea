package amplitude_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

// FuzzRequests: whatever an event holds, what is sent of it breaks no rule.
func FuzzRequests(f *testing.F) { trackertest.FuzzRequests(f, facingFake("")) }

// FuzzJudge: any answer gives a verdict for each event, and only a 2xx delivers.
func FuzzJudge(f *testing.F) { trackertest.FuzzJudge(f, facingFake("")) }

// BenchmarkRequests translates ordinary events.
func BenchmarkRequests(b *testing.B) { trackertest.BenchmarkRequests(b, facingFake("")) }
