package http_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/http"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// example is a worked example as an operator copies it, without the lane's keys
// and with made-up credentials.
func example(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/trackers/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for placeholder, value := range map[string]string{
		"kind: http\n": "", "name: " + name + "\n": "",
		"${MIXPANEL_USER}": "robot.4f2a", "${MIXPANEL_SECRET}": "not-a-real-password", "${POSTHOG_KEY}": "phc_not_a_real_key",
	} {
		text = []byte(strings.ReplaceAll(string(text), placeholder, value))
	}
	return string(text)
}

// build makes a tracker from YAML, as the gateway does.
func build(t testing.TB, config string) (tracker.Tracker, tracker.Traits) {
	t.Helper()
	built, traits, err := tryBuild(config)
	if err != nil {
		t.Fatal(err)
	}
	return built, traits
}

func tryBuild(config string) (tracker.Tracker, tracker.Traits, error) {
	return http.Kind().Build(func(into any) error {
		document, err := strictyaml.Parse("sparrow.yaml", []byte(config))
		if err != nil {
			return err
		}
		return document.Decode(into)
	})
}

const webhook = `
url: https://hooks.example.com/v1/events?source=sparrow
secretHeaders: { X-Api-Key: not-a-real-key-1 }
headers: { Accept: application/json }
query: { token: not-a-real-key-2 }
hmac: { secret: not-a-real-key-3, header: X-Hub-Signature-256, prefix: "sha256=", timestamp: X-Hub-Timestamp }
secrets: { site: not-a-real-key-4 }
event: |
  if .userId == null then empty else . end | . + { site: $site }
`

func TestConformance(t *testing.T) {
	refused := []trackertest.Refused{
		{Config: "{}", Key: "url"},
		{Config: "url: ftp://example.com\nevent: .", Key: "url"},
		{Config: "url: https://example.com", Key: "event"},
		{Config: "url: https://example.com\nevent: .\nmethod: GET", Key: "method"},
		{Config: "url: https://example.com\nevent: .\nheaders: { Host: x }", Key: "headers"},
		{Config: "url: https://example.com\nevent: .\nbatch: { maxEvents: 10001 }", Key: "batch.maxEvents"},
		{Config: "url: https://example.com\nevent: .\nbatch: { maxEvents: 2, envelope: '{a: 1}' }", Key: "batch.envelope"},
		{Config: "url: https://example.com\nevent: .\nanswers: [{ verdict: maybe }]", Key: "answers[0].verdict"},
	}
	for name, spec := range map[string]trackertest.Spec{
		"mixpanel": {
			Config: example(t, "mixpanel"), Secrets: []string{"not-a-real-password"}, MaxEvents: 2000, MaxBytes: 5 << 20,
			Taken: tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`{"code":200,"num_records_imported":2,"status":"OK"}`)},
		},
		"posthog": {
			Config: example(t, "posthog"), Secrets: []string{"phc_not_a_real_key"}, MaxEvents: 100, MaxBytes: 450 << 10,
			Taken: tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`{"status":"Ok"}`)},
		},
		"webhook": {
			Config: webhook, Secrets: []string{"not-a-real-key-1", "not-a-real-key-2", "not-a-real-key-3", "not-a-real-key-4"},
			MaxEvents: 1, MaxBytes: 1 << 20,
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Kind, spec.Refused, spec.Golden, spec.Update = http.Kind(), refused, "testdata/golden-"+name, *update
			trackertest.Run(t, spec)
		})
	}
}
