package http_test

import (
	"io"
	nethttp "net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

func readAll(r *nethttp.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

// posthog holds requests against the rules of /batch/ (posthog.com/docs/api/capture
// and the capture service's source): one bad event refuses its whole batch.
type posthog struct {
	faults []string
	count  int
	over   bool // the billing quota: taken with a 200, and dropped
}

func (p *posthog) broken() []string { return p.faults }
func (p *posthog) stored() int      { return p.count }

// ServeHTTP takes a whole batch, or refuses it.
func (p *posthog) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	body := readAll(r)
	var sent struct {
		APIKey     string           `json:"api_key"`
		Historical *bool            `json:"historical_migration"`
		Batch      []map[string]any `json:"batch"`
	}
	refuse := func(status int, what string) {
		p.faults = append(p.faults, what)
		nethttp.Error(w, what, status)
	}
	switch {
	case r.Method != nethttp.MethodPost || r.URL.Path != "/batch/":
		refuse(404, "not found")
		return
	case len(body) > 500_000:
		refuse(413, "payload too large")
		return
	case r.Header.Get("Content-Type") != "application/json" || vendortest.Decode([]byte(body), &sent) != nil:
		refuse(400, "malformed request data")
		return
	case !strings.HasPrefix(sent.APIKey, "phc_"):
		refuse(401, "API key is not valid: personal_api_key")
		return
	case len(sent.Batch) == 0:
		refuse(400, "empty batch")
		return
	}
	for _, e := range sent.Batch {
		if what := posthogFault(e); what != "" {
			refuse(400, what)
			return
		}
	}
	if p.over {
		_, _ = io.WriteString(w, `{"status":"Ok","quota_limited":["events"]}`)
		return
	}
	p.count += len(sent.Batch)
	_, _ = io.WriteString(w, `{"status":"Ok"}`)
}

// posthogNow is after all of the suite's events.
func posthogNow() time.Time { return time.Date(2026, 11, 20, 23, 59, 0, 0, time.UTC) }

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func posthogFault(e map[string]any) string {
	name, _ := e["event"].(string)
	id, _ := e["distinct_id"].(string)
	properties, isObject := e["properties"].(map[string]any)
	ip, _ := properties["$ip"].(string)
	switch {
	case name == "":
		return "event submitted with an empty event name"
	case strings.TrimSpace(id) == "" || len([]rune(id)) > 200:
		return "event submitted without a distinct_id, or one over 200 characters"
	case !isObject:
		return "properties is not an object"
	case ip == "":
		return "no $ip: the sender's address would be stored"
	}
	if v, there := e["uuid"]; there {
		if text, isText := v.(string); !isText || !uuidPattern.MatchString(text) {
			return "uuid is not a UUID"
		}
	}
	if v, there := e["timestamp"]; there && v != nil {
		text, _ := v.(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return "timestamp is not RFC 3339"
		}
		if at.After(posthogNow().Add(23 * time.Hour)) {
			return "timestamp is over 23 hours ahead: it would be replaced"
		}
	}
	for key := range e {
		switch key {
		case "event", "distinct_id", "uuid", "timestamp", "properties":
		default:
			return "unknown member " + key
		}
	}
	return ""
}

// posthogRules are the rules that PostHog states, where (its documentation of the
// capture API, and github.com/PostHog/posthog rust/capture/src), and how to break a
// sound request.
func posthogRules() []struct {
	name, place, from, to string
	status                int
} {
	const (
		capture  = "docs/api/capture: batch events"
		warnings = "docs/data/ingestion-warnings"
		source   = "rust/capture/src/v0_request.rs"
	)
	return []struct {
		name, place, from, to string
		status                int
	}{
		{"another path", "docs/api/capture: endpoints", "/batch/", "/import/", 404},
		{"a personal key", "rust/capture/src/token.rs", "phc_x", "phx_x", 401},
		{"no key", capture, `"api_key":"phc_x",`, "", 401},
		{"no event name", warnings, `"event":"a"`, `"event":""`, 400},
		{"no distinct_id", warnings, `"distinct_id":"u",`, "", 400},
		{"a blank distinct_id", warnings, `"u"`, `" "`, 400},
		{"a numeric distinct_id", capture, `"u"`, `7`, 400},
		{"distinct_id too long", source, `"u"`, `"` + strings.Repeat("u", 201) + `"`, 400},
		{"uuid is none", capture, "0f6c3b9e", "evt", 400},
		{"timestamp is none", "docs/data/timestamps", "2026-11-20T", "20.11.2026 ", 400},
		{"timestamp a day ahead", "docs/data/timestamps: future events", "2026-11-20T", "2026-11-22T", 400},
		{"properties a list", capture, `{"$ip":"0.0.0.0"}`, "[]", 400},
		{"the sender's address", "posthog-go: DisableGeoIP", `"$ip":"0.0.0.0"`, "", 400},
		{"an unknown member", capture, `"event":"a"`, `"event":"a","type":"capture"`, 400},
		{"migration not a boolean", capture, `"batch"`, `"historical_migration":"no","batch"`, 400},
		{"an empty batch", source, soundBatch, `{"api_key":"phc_x","batch":[]}`, 400},
		{"not JSON", source, soundBatch, "{", 400},
		{"too large", "posthog-go: maximum size of a request", `"$ip"`, `"x":"` + strings.Repeat("x", 500_000) + `","$ip"`, 413},
	}
}

const soundBatch = `{"api_key":"phc_x","batch":[{"event":"a","distinct_id":"u","uuid":"0f6c3b9e-5d0a-4f0e-9a53-8f6b1c2d7e41","timestamp":"2026-11-20T09:15:02Z","properties":{"$ip":"0.0.0.0"}}]}`

// Each rule of the stand-in bites.
func TestPostHogsRulesBite(t *testing.T) {
	request := func(url, body string) tracker.Request {
		return tracker.Request{Method: "POST", URL: url, Body: []byte(body), Header: nethttp.Header{"Content-Type": {"application/json"}}}
	}
	const url = "https://us.i.posthog.com/batch/"
	for _, r := range posthogRules() {
		t.Run(r.name+" ("+r.place+")", func(t *testing.T) {
			p := &posthog{}
			resp := trackertest.Perform(p, request(strings.Replace(url, r.from, r.to, 1), strings.Replace(soundBatch, r.from, r.to, 1)))
			if resp.Status != r.status || p.count != 0 || len(p.faults) != 1 {
				t.Errorf("status %d, stored %d, %q", resp.Status, p.count, p.faults)
			}
		})
	}
	p := &posthog{}
	if resp := trackertest.Perform(p, request(url, soundBatch)); resp.Status != 200 || p.count != 1 {
		t.Errorf("a sound batch: status %d, %v", resp.Status, p.faults)
	}
}

// PostHog takes what is over 23 hours ahead for now; ours is as of its receipt then.
func TestPostHogGetsNoFuture(t *testing.T) {
	built, _ := build(t, example(t, "posthog"))
	for ahead, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, 22 * time.Hour: 22 * time.Hour, 24 * time.Hour: 0} {
		e := trackertest.Track()
		e.Time = e.ReceivedAt.Add(ahead)
		requests, _ := built.Requests([]event.Event{e})
		if at := e.ReceivedAt.Add(want).Format("2006-01-02T15:04:05.000Z"); !strings.Contains(string(requests[0].Body), `"timestamp":"`+at+`"`) {
			t.Errorf("%v ahead: want %s in %s", ahead, at, requests[0].Body)
		}
	}
}

// A 200 that drops the events delivers nothing.
func TestPostHogOverItsQuotaDeliversNothing(t *testing.T) {
	built, _ := build(t, example(t, "posthog"))
	requests, _ := built.Requests([]event.Event{trackertest.Track()})
	v := built.Judge(requests[0], trackertest.Perform(&posthog{over: true}, requests[0]))[0]
	if v.Action != tracker.Wait || !v.Alarm || v.Reason != "PostHog drops events: over the billing quota" {
		t.Errorf("verdict %+v", v)
	}
}
