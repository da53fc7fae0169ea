package trackertest

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// BenchmarkRequests is the body of a vendor's benchmark of the encoder: it
// translates ordinary events, each of another visitor, 200 at a time, and reports
// the time and allocations of one event. Of the spec it reads Kind and Config.
func BenchmarkRequests(b *testing.B, spec Spec) {
	b.Helper()
	built, _, err := (&check{spec: spec}).build(spec.Config)
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]event.Event, 200)
	for i := range batch {
		batch[i] = Track()
		batch[i].DeviceID = batch[i].DeviceID[:30] + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch) {
		if requests, _ := built.Requests(batch[:min(len(batch), b.N-n)]); len(requests) == 0 {
			b.Fatal("no requests")
		}
	}
}
