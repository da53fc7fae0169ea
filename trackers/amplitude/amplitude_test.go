package amplitude_test

import (
	"flag"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestConformance(t *testing.T) {
	for endpoint, limit := range map[string]struct{ events, bytes int }{"http": {1999, 999_999}, "batch": {2000, 20_000_000}} {
		t.Run(endpoint, func(t *testing.T) {
			trackertest.Run(t, trackertest.Spec{
				Kind:    amplitude.Kind(),
				Config:  "apiKey: not-a-real-key\nendpoint: " + endpoint,
				Secrets: []string{"not-a-real-key"},
				Refused: []trackertest.Refused{
					{Config: "{}", Key: "apiKey"},
					{Config: "apiKey: not-a-real-key\nregion: mars", Key: "region"},
					{Config: "apiKey: not-a-real-key\nendpoint: identify", Key: "endpoint"},
					{Config: "apiKey: not-a-real-key\nbatchSize: 2001", Key: "batchSize"},
					{Config: "apiKey: \"not a-real-key\"", Key: "apiKey"},
				},
				MaxEvents: limit.events,
				MaxBytes:  limit.bytes,
				Taken: tracker.Response{
					Reach: tracker.Answered, Status: 200, Body: []byte(`{"code":200,"events_ingested":1,"payload_size_bytes":50,"server_upload_time":1396381378123}`),
				},
				Golden: "testdata/golden-" + endpoint,
				Update: *update,
			})
		})
	}
}
