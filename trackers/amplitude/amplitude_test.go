package amplitude_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestConformance(t *testing.T) {
	for name, try := range map[string]struct {
		more          string
		events, bytes int
	}{
		"http":     {"\nendpoint: http", 1999, 999_999},
		"batch":    {"\nendpoint: batch", 2000, 20_000_000},
		"identify": {"\nidentify: Article Shared", 1999, 999_999},
	} {
		t.Run(name, func(t *testing.T) {
			trackertest.Run(t, trackertest.Spec{
				Kind:    amplitude.Kind(),
				Config:  "apiKey: not-a-real-key" + try.more,
				Secrets: []string{"not-a-real-key"},
				Refused: []trackertest.Refused{
					{Config: "{}", Key: "apiKey"},
					{Config: "apiKey: not-a-real-key\nregion: mars", Key: "region"},
					{Config: "apiKey: not-a-real-key\nendpoint: identify", Key: "endpoint"},
					{Config: "apiKey: not-a-real-key\nbatchSize: 2001", Key: "batchSize"},
					{Config: "apiKey: not-a-real-key\nplan: gold", Key: "plan"},
					{Config: "apiKey: \"not a-real-key\"", Key: "apiKey"},
				},
				MaxEvents: try.events,
				MaxBytes:  try.bytes,
				Taken: tracker.Response{
					Reach: tracker.Answered, Status: 200, Body: []byte(`{"code":200,"events_ingested":1,"payload_size_bytes":50,"server_upload_time":1396381378123}`),
				},
				Golden: "testdata/golden-" + name,
				Update: *update,
			})
		})
	}
}

func TestTheStarterPlan(t *testing.T) {
	for size, want := range map[int]int{0: 10, 5: 5} {
		_, traits := build(t, func(c *amplitude.Config) { c.APIKey, c.Plan, c.BatchSize = "not-a-real-key", "starter", size })
		if traits.MaxBatch != want || traits.Rate != 1000 || traits.Burst < want {
			t.Errorf("batchSize %d: %d events, %v/s, burst %d", size, traits.MaxBatch, traits.Rate, traits.Burst)
		}
	}
	if _, traits := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key" }); traits.MaxBatch != 200 || traits.Rate != 0 {
		t.Errorf("without a plan: %d events, %v/s", traits.MaxBatch, traits.Rate)
	}
}

// Names that are one once they are cut would stand twice in an object.
func TestLongNamesStandOnce(t *testing.T) {
	built, _ := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key" })
	e, long := trackertest.Track(), strings.Repeat("n", 1024)
	e.Properties = []event.Property{{Name: long + "b", Value: event.NumberValue("1")}, {Name: long + "a", Value: event.NumberValue("2")}}
	requests, _ := built.Requests([]event.Event{e})
	if body := string(requests[0].Body); strings.Count(body, long) != 1 || !strings.Contains(body, long+`":1`) {
		t.Errorf("%d times: %s", strings.Count(body, long), body)
	}
}

func TestCampaigns(t *testing.T) {
	built, _ := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key" })
	for page, want := range map[string][]string{
		"https://a.example/?utm_source=news%20letter&utm_medium=mail&utm_campaign=c#x": {`"utm_source":"news letter"`, `"utm_medium":"mail"`, `"utm_campaign":"c"`},
		"https://a.example/?x=utm_source":                                              nil,
		"https://a.example/?utm_source=":                                               nil,
		"https://a.example/?utm_source=%zz":                                            nil,
		"https://a.example/#?utm_source=in-fragment":                                   nil,
	} {
		e := trackertest.Track()
		e.Page.URL = page
		requests, _ := built.Requests([]event.Event{e})
		for _, w := range want {
			if !strings.Contains(string(requests[0].Body), w) {
				t.Errorf("%s: lacks %s: %s", page, w, requests[0].Body)
			}
		}
		if n := strings.Count(string(requests[0].Body), `"utm_`); n != len(want) {
			t.Errorf("%s: %d utm properties, want %d", page, n, len(want))
		}
	}
}
