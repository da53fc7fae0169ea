package heap_test

import (
	"flag"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/heap"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestConformance(t *testing.T) {
	for _, anonymous := range []string{"skip", "hash"} {
		t.Run("anonymous "+anonymous, func(t *testing.T) {
			trackertest.Run(t, trackertest.Spec{
				Kind:   heap.Kind(),
				Config: "appId: \"2183640915\"\nanonymous: " + anonymous,
				Refused: []trackertest.Refused{
					{Config: "{}", Key: "appId"},
					{Config: "appId: abc", Key: "appId"},
					{Config: "appId: \"1\"\nregion: mars", Key: "region"},
					{Config: "appId: \"1\"\nanonymous: maybe", Key: "anonymous"},
					{Config: "appId: \"1\"\nbatchSize: 1001", Key: "batchSize"},
					{Config: "appId: \"1\"\nrate: 251/s", Key: "rate"},
				},
				MaxEvents: 1000,
				MaxBytes:  500_000,
				Golden:    "testdata/golden-" + anonymous,
				Update:    *update,
			})
		})
	}
}
