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
