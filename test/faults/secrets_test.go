package faults_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// secrets are the texts that nothing may show, in every form that they could have.
func secrets() []string {
	return []string{
		ga4Secret, url.QueryEscape(ga4Secret), url.PathEscape(ga4Secret), strings.ReplaceAll(ga4Secret, "&", `\u0026`),
		amplitudeKey, serverKey, harness.SentryKey,
	}
}

// personal is what no envelope, log line or metric may show.
var personal = []string{"jane.doe", "4111 1111", "4111111111111111"}

// show fails the test if a text contains one of the words.
func show(t *testing.T, where, text string, words []string) {
	t.Helper()
	for _, word := range words {
		if at := strings.Index(text, word); at >= 0 {
			t.Errorf("%s shows %q: ...%s...", where, word, text[max(0, at-100):min(len(text), at+len(word)+50)])
		}
	}
}

// checkSecrets reads everything that a running gateway can show.
func (s *failingVendors) checkSecrets(t *testing.T) {
	metrics := s.Do(http.MethodGet, "/metrics", "").Body
	rows := s.Command("query", "--format", "csv", "select * from deliveries")
	for where, text := range map[string]string{
		"sparrow events":                  s.Command("events", "event-0", "--request"),
		"sparrow events in JSON":          s.Command("events", "event-0", "--request", "--format", "json"),
		"sparrow trackers list":           s.Command("trackers", "list", "--format", "json"),
		"sparrow config check":            s.Command("config", "check"),
		"/metrics":                        metrics,
		"/docs":                           s.Do(http.MethodGet, "/docs", "").Body,
		"the deliveries table":            rows,
		"the table raw, beside its data":  s.Command("query", "--format", "csv", "select * exclude (data) from raw"),
		"an answer to a refused request":  s.Do(http.MethodPost, "/v1/events?key="+serverKey+"x", "{}").Body,
		"the tables of what was filtered": s.Command("query", "--format", "csv", "select * from filtered") + s.Command("query", "--format", "csv", "select * from leaks"),
	} {
		show(t, where, text, secrets())
	}
	show(t, "/metrics", metrics, personal)
	show(t, "the deliveries table", rows, personal)
	if !strings.Contains(rows, "refused, ask [email]") {
		t.Errorf("the deliveries table does not hold what the vendor answered:\n%.2000s", rows)
	}
	if !strings.Contains(s.Command("events", "event-0", "--request"), "/mp/collect") {
		t.Error("sparrow events --request does not show the request: nothing is proved")
	}
}

// checkSentry stops the gateway first, so that everything was reported.
func (s *failingVendors) checkSentry(t *testing.T) {
	s.Stop(time.Minute)
	log, raw := s.Log(), s.sentry.Raw()
	show(t, "the log", log, append(secrets(), personal...))
	// An envelope's header says whose it is; its events do not.
	show(t, "an envelope to Sentry", strings.ReplaceAll(raw, `"dsn":"`+s.sentry.DSN+`"`, ""), append(secrets(), personal...))

	full, rest := map[string]int{}, map[string]int{}
	for _, e := range s.sentry.Events(t) {
		if e.Full() {
			full[e.Group()]++
			s.checkIncident(t, e)
			continue
		}
		count, shown := e.Contexts["summary"]["count"].(float64), e.Contexts["summary"]["shown"].(float64)
		if shown != 10 || count <= shown {
			t.Errorf("%s: a summary of %v incidents, %v of them in full; want the first ten of a minute in full", e.Group(), count, shown)
		}
		rest[e.Group()] += int(count - shown)
	}
	for name, v := range s.vendors {
		switch strings.TrimPrefix(name, v.kind+"-") {
		case "error":
			if full["lane/"+name+"/http 500"] == 0 {
				t.Errorf("%s: no group of its own for its status 500: %v", name, full)
			}
		case "refused":
			group := "lane/" + name + "/http 400"
			if met := v.faults.Met(); full[group] < 10 || full[group]+rest[group] != met {
				t.Errorf("%s: %d incidents in full and %d in summaries, of %d", name, full[group], rest[group], met)
			}
		case "healthy":
			for group := range full {
				if strings.Contains(group, name) {
					t.Errorf("%s failed: %s", name, group)
				}
			}
		}
	}
}

// checkIncident: a full report has what an engineer needs to understand it.
func (s *failingVendors) checkIncident(t *testing.T, e harness.SentryEvent) {
	t.Helper()
	if len(e.Exception) != 1 || len(e.Exception[0].Stacktrace.Frames) == 0 {
		t.Errorf("%s: no stack", e.Group())
	}
	if e.Tags["class"] != "http 400" {
		return
	}
	if !strings.Contains(e.Request.Data, "counted") || !strings.Contains(e.Request.Data, "[email]") {
		t.Errorf("%s: the payload is not there, or not sanitised: %.300s", e.Group(), e.Request.Data)
	}
	response := e.Contexts["response"]
	if body, _ := response["data"].(string); response["status_code"] != 400.0 || !strings.Contains(body, "refused, ask [email]") {
		t.Errorf("%s: the answer is not there: %v", e.Group(), response)
	}
	if receipts, _ := e.Contexts["incident"]["receipts"].([]any); len(receipts) == 0 || e.Contexts["incident"]["attempt"] == nil {
		t.Errorf("%s: which events, which attempt: %v", e.Group(), e.Contexts["incident"])
	}
}
