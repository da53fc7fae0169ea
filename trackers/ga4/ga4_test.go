package ga4_test

import (
	"flag"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/ga4"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestConformance(t *testing.T) {
	for name, more := range map[string]string{"golden": "", "golden-validated": "\nvalidate: 1\nforwardIP: true\nlocation: { country: channel }"} {
		t.Run(name, func(t *testing.T) { conformance(t, "testdata/"+name, more) })
	}
}

func conformance(t *testing.T, golden, more string) {
	trackertest.Run(t, trackertest.Spec{
		Kind:    ga4.Kind(),
		Golden:  golden,
		Config:  "measurementId: G-TEST123456\napiSecret: not-a-real-secret" + more,
		Secrets: []string{"not-a-real-secret"},
		Refused: []trackertest.Refused{
			{Config: "apiSecret: not-a-real-secret", Key: "measurementId"},
			{Config: "measurementId: G-TEST123456", Key: "apiSecret"},
			{Config: "measurementId: G-TEST123456\napiSecret: \"not-a-real-secret \"", Key: "apiSecret"},
			{Config: "measurementId: UA-12345678-1\napiSecret: not-a-real-secret", Key: "UA-"},
			{Config: "measurementId: nonsense\napiSecret: not-a-real-secret", Key: "measurementId"},
			{Config: "measurementId: G-TEST123456\napiSecret: not-a-real-secret\nregion: mars", Key: "region"},
			{Config: "measurementId: G-TEST123456\napiSecret: not-a-real-secret\nvalidate: 1.5", Key: "validate"},
		},
		MaxEvents: 25,
		MaxBytes:  130_000 - 1,
		Update:    *update,
	})
}

// TestSessions: Google takes digits; other ids name a session by its start, or none.
func TestSessions(t *testing.T) {
	for id, want := range map[string]any{
		"1795165800": "1795165800", "1795165800123": "1795165800123", "01a2209b-e526-7a7b-8f55-0d7a2f3c9b10": "1795843417", "GS2.1.s1747075570$o3$g1$t1747075600": "1747075570",
		"4711": "4711", "s-4711": nil, "": nil, "550e8400-e29b-41d4-a716-446655440000": nil,
	} {
		e := trackertest.Track()
		e.SessionID = id
		params := body(t, func(*ga4.Config) {}, e)["events"].([]any)[0].(map[string]any)["params"].(map[string]any)
		if params["session_id"] != want {
			t.Errorf("session %q: %v, want %v", id, params["session_id"], want)
		}
	}
}
