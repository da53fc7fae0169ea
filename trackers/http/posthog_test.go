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
	case r.Header.Get("Content-Type") != "application/json" || strict([]byte(body), &sent) != nil:
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
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return "timestamp is not RFC 3339"
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

// Each rule of the stand-in bites.
func TestPostHogsRulesBite(t *testing.T) {
	sound := `{"api_key":"phc_x","batch":[{"event":"a","distinct_id":"u","uuid":"0f6c3b9e-5d0a-4f0e-9a53-8f6b1c2d7e41","timestamp":"2026-11-20T09:15:02Z","properties":{"$ip":"0.0.0.0"}}]}`
	request := func(body string) tracker.Request {
		return tracker.Request{Method: "POST", URL: "https://us.i.posthog.com/batch/", Body: []byte(body), Header: nethttp.Header{"Content-Type": {"application/json"}}}
	}
	for name, change := range map[string][2]string{
		"a personal key":       {"phc_x", "phx_x"},
		"no event name":        {`"event":"a"`, `"event":""`},
		"no distinct_id":       {`"distinct_id":"u",`, ""},
		"a blank distinct_id":  {`"u"`, `" "`},
		"distinct_id too long": {`"u"`, `"` + strings.Repeat("u", 201) + `"`},
		"uuid is none":         {"0f6c3b9e", "evt"},
		"timestamp is none":    {"2026-11-20T", "20.11.2026 "},
		"properties a list":    {`{"$ip":"0.0.0.0"}`, "[]"},
		"the sender's address": {`"$ip":"0.0.0.0"`, ""},
		"an unknown member":    {`"event":"a"`, `"event":"a","type":"capture"`},
		"an empty batch":       {sound, `{"api_key":"phc_x","batch":[]}`},
		"not JSON":             {sound, "{"},
		"too large":            {`"$ip"`, `"x":"` + strings.Repeat("x", 500_000) + `","$ip"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := &posthog{}
			if resp := perform(p, request(strings.Replace(sound, change[0], change[1], 1))); resp.Status < 400 || p.count != 0 {
				t.Errorf("status %d, stored %d", resp.Status, p.count)
			}
		})
	}
	p := &posthog{}
	if resp := perform(p, request(sound)); resp.Status != 200 || p.count != 1 {
		t.Errorf("a sound batch: status %d, %v", resp.Status, p.faults)
	}
}

// A 200 that drops the events delivers nothing.
func TestPostHogOverItsQuotaDeliversNothing(t *testing.T) {
	built, _ := build(t, example(t, "posthog"))
	requests, _ := built.Requests([]event.Event{trackertest.Track()})
	v := built.Judge(requests[0], perform(&posthog{over: true}, requests[0]))[0]
	if v.Action != tracker.Wait || !v.Alarm || v.Reason != "PostHog drops events: over the billing quota" {
		t.Errorf("verdict %+v", v)
	}
}
