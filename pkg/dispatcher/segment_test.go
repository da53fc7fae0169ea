package dispatcher_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const ordered = `{"type":"track","event":"Order Completed","anonymousId":"a-1","messageId":"m-1","properties":{"revenue":19.90}}`

func basic(key string) option {
	return header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(key+":")))
}

// Every path of Segment's API takes the write key as the SDKs send it, keeps each
// message's bytes, and says the message's id.
func TestSegmentMessages(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		options    []option
		status     int
		want       []event.Record
		invalid    int
	}{
		"track": {"/v1/track", ordered, []option{basic(siteKey)}, 200, []event.Record{message("segment/track", "m-1", ordered)}, 0},
		"the browser SDK's path, the key in the body": {
			"/v1/p", `{"anonymousId":"a","messageId":"m","writeKey":"` + siteKey + `"}`, []option{header("Content-Type", "text/plain"), header("Origin", site)}, 200,
			[]event.Record{message("segment/page", "m", `{"anonymousId":"a","messageId":"m","writeKey":"`+siteKey+`"}`)}, 0,
		},
		"a batch, gzip under a form's type": {
			"/v1/batch", zipped(t, `{"batch":[ `+ordered+` ,{"type":"identify", "userId":"u","messageId":"m-2"}],"sentAt":"2026-11-20T09:15:03Z"}`),
			[]option{basic(siteKey), header("Content-Encoding", "gzip"), header("Content-Type", "application/x-www-form-urlencoded")}, 200,
			[]event.Record{message("segment", "m-1", ordered), message("segment", "m-2", `{"type":"identify", "userId":"u","messageId":"m-2"}`)}, 0,
		},
		"the key beside the batch": {"/v1/b", `{"writeKey":"` + serverKey + `","batch":[` + ordered + `]}`, nil, 200, []event.Record{message("segment", "m-1", ordered)}, 0},
		"a beacon":                 {"/beacon/v1/batch?writeKey=" + serverKey, `{"batch":[` + ordered + `]}`, nil, 200, []event.Record{message("segment", "m-1", ordered)}, 0},
		"one of a batch breaks the contract": {
			"/v1/import", `{"batch":[` + ordered + `,{"type":"track","userId":"u","messageId":"m-2"}]}`, []option{basic(siteKey)}, 200,
			[]event.Record{message("segment", "m-1", ordered), message("segment", "m-2", `{"type":"track","userId":"u","messageId":"m-2"}`)}, 1,
		},
		"no key":                 {"/v1/track", ordered, nil, 401, nil, 0},
		"unknown key":            {"/v1/track", ordered, []option{basic("pk_unknown")}, 401, nil, 0},
		"unknown key in body":    {"/v1/t", `{"writeKey":"pk_unknown","userId":"u","event":"e"}`, nil, 401, nil, 0},
		"not JSON, no key":       {"/v1/t", `{`, nil, 401, nil, 0},
		"not JSON":               {"/v1/t", `{`, []option{basic(siteKey)}, 400, []event.Record{{}}, 0},
		"another origin":         {"/v1/t", ordered, []option{basic(siteKey), header("Origin", "https://evil.example")}, 403, nil, 0},
		"and by a key in a body": {"/v1/t", `{"writeKey":"` + siteKey + `"}`, []option{header("Origin", "https://evil.example")}, 403, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, testConfig())
			a := g.post(t, c.body, append([]option{path(c.path)}, c.options...)...)
			if a.status != c.status || len(a.Invalid) != c.invalid {
				t.Fatalf("status %d, want %d: %s", a.status, c.status, a.body)
			}
			if a.status == 200 && !strings.HasPrefix(string(a.body), `{"success":true`) {
				t.Errorf("answer %s", a.body)
			}
			records := g.log.all()
			if len(records) != len(c.want) {
				t.Fatalf("%d records, want %d", len(records), len(c.want))
			}
			for i, want := range c.want {
				got := records[i]
				if want.Data != nil && (string(got.Data) != string(want.Data) || got.EventID != want.EventID || got.Context.Format != want.Context.Format) {
					t.Errorf("record %d: %s %q %q", i, got.Data, got.EventID, got.Context.Format)
				}
			}
		})
	}
}

func message(format, id, data string) event.Record {
	return event.Record{EventID: id, Data: []byte(data), Context: event.Context{Format: format}}
}

// A message's own sentAt goes before the batch's.
func TestSegmentClock(t *testing.T) {
	g := newGateway(t, testConfig())
	g.post(t, `{"batch":[{"sentAt":"2026-11-20T09:00:01Z"},{}],"sentAt":"2026-11-20T09:00:02Z"}`, path("/v1/batch"), basic(siteKey))
	for i, want := range []int{1, 2} {
		if got := g.log.all()[i].Context.SentAt; !got.Equal(time.Date(2026, 11, 20, 9, 0, want, 0, time.UTC)) {
			t.Errorf("record %d: sent at %v", i, got)
		}
	}
}

// A preflight allows the headers that it asks for: the SDKs have some of their own.
func TestSegmentPreflight(t *testing.T) {
	g := newGateway(t, testConfig())
	const asked = "anonymousid,authorization,content-type,rsa-retry-attempt"
	a := g.post(t, "", method("OPTIONS"), path("/v1/track"), header("Origin", site), header("Access-Control-Request-Headers", asked))
	if got := a.header.Get("Access-Control-Allow-Headers"); a.status != 204 || got != asked {
		t.Errorf("status %d, allowed headers %q", a.status, got)
	}
	a = g.post(t, "", method("OPTIONS"), header("Origin", site), header("Access-Control-Request-Headers", asked))
	if got := a.header.Get("Access-Control-Allow-Headers"); strings.Contains(got, "anonymousid") {
		t.Errorf("Sparrow's own path allows %q", got)
	}
}

// A body that does not arrive is answered so that every SDK tries again:
// RudderStack's drops its events at 408.
func TestSegmentSlowBody(t *testing.T) {
	c := testConfig()
	c.Limits.BodyTimeout = 50 * time.Millisecond
	g := newGateway(t, c)
	body, feed := io.Pipe()
	defer feed.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+"/v1/track?key="+siteKey, body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 100
	resp, err := g.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, resp); a.status != 503 || a.header.Get("Retry-After") == "" || a.Code != "timeout" {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

// The settings that browser SDKs ask for say where events go, and that nothing
// else runs in the page.
func TestSegmentSettings(t *testing.T) {
	g := newGateway(t, testConfig())
	for name, c := range map[string]struct {
		path    string
		options []option
		status  int
	}{
		"Segment's":              {"/v1/projects/" + siteKey + "/settings", nil, 200},
		"RudderStack's":          {"/sourceConfig/?p=npm&writeKey=" + siteKey, nil, 200},
		"by Basic":               {"/sourceConfig", []option{basic(siteKey), header("Origin", site)}, 200},
		"unknown key":            {"/v1/projects/pk_unknown/settings", nil, 401},
		"no key":                 {"/sourceConfig/", nil, 401},
		"another origin":         {"/sourceConfig/?writeKey=" + siteKey, []option{header("Origin", "https://evil.example")}, 403},
		"a preflight":            {"/sourceConfig/", []option{method("OPTIONS"), header("Origin", site)}, 204},
		"a method there is none": {"/sourceConfig/", []option{method("POST")}, 405},
	} {
		t.Run(name, func(t *testing.T) {
			a := g.post(t, "", append([]option{method("GET"), path(c.path)}, c.options...)...)
			if a.status != c.status {
				t.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
			}
		})
	}
	for forwarded, want := range map[string]string{"": "http", "https": "https"} {
		a := g.post(t, "", method("GET"), path("/v1/projects/"+siteKey+"/settings"), header("X-Forwarded-Proto", forwarded))
		var settings struct {
			Integrations map[string]struct{ APIKey, APIHost, Protocol string }
		}
		if err := json.Unmarshal(a.body, &settings); err != nil {
			t.Fatal(err)
		}
		got := settings.Integrations["Segment.io"]
		if got.APIKey != siteKey || "http://"+got.APIHost != g.URL+"/v1" || got.Protocol != want {
			t.Errorf("forwarded %q: %s", forwarded, a.body)
		}
	}
}

// The same limits hold as for events of Sparrow's own form.
func TestSegmentLimits(t *testing.T) {
	c := testConfig()
	c.Limits.Events, c.Sources[0].Rate, c.Sources[0].Burst = 2, 0.001, 2
	g := newGateway(t, c)
	three := `{"batch":[` + ordered + "," + ordered + "," + ordered + `]}`
	if a := g.post(t, three, path("/v1/batch"), basic(siteKey)); a.status != 413 {
		t.Errorf("too many events: status %d", a.status)
	}
	two := `{"batch":[` + ordered + "," + ordered + `]}`
	for _, want := range []int{200, 429} {
		if a := g.post(t, two, path("/v1/batch"), basic(siteKey)); a.status != want {
			t.Errorf("status %d, want %d: %s", a.status, want, a.body)
		}
	}
}

func FuzzSegmentBodies(f *testing.F) {
	for _, body := range []string{ordered, `{"batch":[` + ordered + `,3]}`, `[`, `[1]`, `{"batch":{}}`, `{"writeKey":"\u0070"}`, `{"batch":[],"batch":[]}`} {
		f.Add([]byte(body))
	}
	g := newGateway(f, testConfig())
	f.Fuzz(func(t *testing.T, body []byte) {
		before := len(g.log.all())
		a := g.post(t, string(body), path("/v1/batch"), basic(serverKey))
		kept := g.log.all()[before:]
		switch {
		case a.status != 200 && a.status != 400 && a.status != 413:
			t.Fatalf("status %d: %s", a.status, a.body)
		case a.status == 413 && len(kept) > 0:
			t.Fatal("refused, and kept")
		}
		for _, r := range kept {
			if !strings.Contains(string(body), string(r.Data)) || r.EventID == "" {
				t.Fatalf("%q is not of %q", r.Data, body)
			}
		}
	})
}
