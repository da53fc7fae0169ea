package event_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

var typical = []byte(`{"event":"purchase product","deviceId":"0197a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b","userId":"michelle1","eventId":"0197a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c","timestamp":"2026-01-31T12:00:00.123Z","properties":{"category":"billing","productName":"workers","price":12.50,"quantity":3},"context":{"page":{"url":"https://dash.example.com/billing","path":"/billing","referrer":"","title":"Billing"},"locale":"en-GB","screen":{"width":1920,"height":1080}}}`)

func BenchmarkInspect(b *testing.B) {
	b.SetBytes(int64(len(typical)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Inspect(typical); err != nil {
			b.Fatal(err)
		}
	}
}
func BenchmarkSkipValue(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.SkipValue(typical, 0); err != nil {
			b.Fatal(err)
		}
	}
}
