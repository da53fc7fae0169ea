package acme_test

import (
	"flag"
	"testing"

	"example.com/acme/sparrow/acme"

	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestConformance(t *testing.T) {
	trackertest.Run(t, trackertest.Spec{
		Kind:      acme.Kind(),
		Config:    "token: not-a-real-token",
		Secrets:   []string{"not-a-real-token"},
		Refused:   []trackertest.Refused{{Config: "{}", Key: "token"}, {Config: "token: t\nbaseURL: ftp://x", Key: "baseURL"}},
		MaxEvents: 100, MaxBytes: 256 << 10,
		Update: *update,
	})
}
