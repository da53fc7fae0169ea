package tracker_test

import (
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

func TestSessionStart(t *testing.T) {
	for id, want := range map[string]string{
		"1795843417":                            "2026-11-28T05:23:37Z",
		"1795843417382":                         "2026-11-28T05:23:37.382Z",
		"01a2209b-e526-7a7b-8f55-0d7a2f3c9b10":  "2026-11-28T05:23:37.382Z",
		"01A2209B-E526-7A7B-8F55-0D7A2F3C9B10":  "2026-11-28T05:23:37.382Z",
		"GS2.1.s1747075570$o3$g1$t1747075600":   "2025-05-12T18:46:10Z",
		"GS1.1.1747075570.3.1.1747075600.0.0.0": "2025-05-12T18:46:10Z",
		"2026-11-28T05:23:37.382Z":              "2026-11-28T05:23:37.382Z",
		"2026-11-28T06:23:37+01:00":             "2026-11-28T05:23:37Z",
	} {
		start, ok := tracker.SessionStart(id)
		if got := start.Format(time.RFC3339Nano); !ok || got != want {
			t.Errorf("%q: %s %t, want %s", id, got, ok, want)
		}
	}
	for _, id := range []string{
		"", "0", "7", "999999999", "4102444800", "99999999999999999999", "-1795843417", "+1795843417", "01795843417", "1795843417.5", "session",
		"01a2209b-e526-4a7b-8f55-0d7a2f3c9b10", "01a2209be5267a7b8f550d7a2f3c9b10", "ffffffff-ffff-7fff-8fff-ffffffffffff", "GS2.1.", "GS2.1.s174707557", "GS3.1.s1747075570$o3",
		"2026-11-28", "0001-01-01T00:00:00Z",
	} {
		if start, ok := tracker.SessionStart(id); ok {
			t.Errorf("%q: %s, want no time", id, start)
		}
	}
}
