package dispatcher_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// scenario is a request and the row of the intake's table that answers it.
type scenario struct {
	name    string
	config  func(*dispatcher.Config)
	prepare func(*gateway)
	body    string
	options []option

	status  int
	code    string // of an error
	kept    int    // records appended
	invalid []int  // indexes
	says    string // part of the error, or of the first invalid element's
	check   func(*testing.T, answer, []event.Record)
}

func events(n int) string {
	return "[" + strings.TrimSuffix(strings.Repeat(purchase+",", n), ",") + "]"
}

func wantSentAt(want time.Time) func(*testing.T, answer, []event.Record) {
	return func(t *testing.T, _ answer, r []event.Record) {
		t.Helper()
		if got := r[0].Context.SentAt; !got.Equal(want) {
			t.Errorf("sentAt %v, want %v", got, want)
		}
	}
}

func scenarios(t testing.TB) []scenario {
	long := strings.Repeat("x", 300)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	withProperties := func(p string) string { return `{"event":"e","deviceId":"d","properties":` + p + `}` }
	failing := func(err error) func(*gateway) {
		return func(g *gateway) {
			g.log.set(func(l *memoryLog) { l.fault = func(context.Context) error { return err } })
		}
	}
	limited := func(rate quantity.Rate, burst int) func(*dispatcher.Config) {
		return func(c *dispatcher.Config) { c.Sources[0].Rate, c.Sources[0].Burst = rate, burst }
	}
	return []scenario{
		{name: "one event", body: purchase, status: 200, kept: 1},
		{name: "an array", body: "[" + purchase + "," + purchase + "]", status: 200, kept: 2},
		{name: "an empty array", body: "[]", status: 200},
		{name: "an envelope", body: `{"sentAt":"2026-01-31T12:00:00Z","events":[` + purchase + `],"sdk":1}`, status: 200, kept: 1,
			check: wantSentAt(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))},
		{name: "the client's clock in the query", body: purchase, options: []option{path("/s/e?key=" + siteKey + "&t=1769860800000")}, status: 200, kept: 1, check: wantSentAt(time.UnixMilli(1769860800000))},
		{name: "a clock in the query and in the body", body: `{"sentAt":"2026-01-31T12:00:00Z","events":[` + purchase + `]}`, options: []option{path("/s/e?t=1&key=" + siteKey)}, status: 200, kept: 1, check: wantSentAt(time.UnixMilli(1769860800000))},
		{name: "a clock that is no number", body: purchase, options: []option{path("/s/e?key=" + siteKey + "&t=now")}, status: 200, kept: 1, check: wantSentAt(time.Time{})},
		{name: "a clock beyond all years", body: purchase, options: []option{path("/s/e?key=" + siteKey + "&t=253402300800000")}, status: 200, kept: 1, check: wantSentAt(time.Time{})},
		{name: "an empty envelope", body: `{"events":[]}`, status: 200},
		{name: "an envelope with a bad sentAt", body: `{"events":[` + purchase + `],"sentAt":12}`, status: 200, kept: 1},
		{name: "an envelope that is also an event", body: `{"event":"e","deviceId":"d","events":[1,2]}`, status: 200, kept: 1},
		{name: "an envelope with events twice", body: `{"events":[1],"events":[2]}`, status: 200, kept: 1, invalid: []int{0}, says: "events: duplicate name"},
		{name: "an envelope whose events are no array", body: `{"events":{}}`, status: 200, kept: 1, invalid: []int{0}, says: "event: required"},
		{name: "text/plain", body: purchase, options: []option{header("Content-Type", "text/plain;charset=UTF-8")}, status: 200, kept: 1},
		{name: "no content type", body: purchase, options: []option{func(r *http.Request) { r.Header.Del("Content-Type") }}, status: 200, kept: 1},
		{name: "a +json type", body: purchase, options: []option{header("Content-Type", "application/vnd.acme+json; charset=utf-8")}, status: 200, kept: 1},
		{name: "gzip", body: zipped(t, purchase), options: []option{header("Content-Encoding", "gzip")}, status: 200, kept: 1},
		{name: "bearer", body: purchase, options: []option{path("/v1/events"), header("Authorization", "bearer "+serverKey)}, status: 200, kept: 1},
		{name: "the browser's path", body: purchase, options: []option{path("/s/e?v=1&key=" + siteKey)}, status: 200, kept: 1},
		{name: "an allowed origin", body: purchase, options: []option{header("Origin", site)}, status: 200, kept: 1},
		{name: "an origin below a wildcard", body: purchase, options: []option{header("Origin", "https://de.shop.example.com")}, status: 200, kept: 1},
		{name: "any origin for a source without origins", body: purchase, options: []option{path("/v1/events?key=" + serverKey), header("Origin", "https://any.example")}, status: 200, kept: 1},

		{name: "an element without deviceId", body: "[" + purchase + `,{"event":"e"}]`, status: 200, kept: 2, invalid: []int{1}, says: "deviceId: required"},
		{name: "elements that are no objects", body: `[1,"two",null,` + purchase + `,[]]`, status: 200, kept: 5, invalid: []int{0, 1, 2, 4}, says: "must be a JSON object"},
		{name: "a scalar body", body: ` 42 `, status: 200, kept: 1, invalid: []int{0}, says: "must be a JSON object"},
		{name: "a missing event", body: `{"deviceId":"d"}`, status: 200, kept: 1, invalid: []int{0}, says: "event: required"},
		{name: "a 300-character name", body: `{"event":"` + long + `","deviceId":"d"}`, status: 200, kept: 1, invalid: []int{0}, says: "event: longer than 200 characters"},
		{name: "properties that are no object", body: withProperties("[1]"), status: 200, kept: 1, invalid: []int{0}, says: "properties: must be an object"},
		{name: "duplicate keys", body: withProperties(`{"a":1,"a":2}`), status: 200, kept: 1, invalid: []int{0}, says: "properties.a: duplicate name"},
		{name: "huge numbers", body: withProperties(`{"n":12345678901234567890,"f":1.10,"e":1e999999}`), status: 200, kept: 1},
		{name: "an escaped NUL in a name", body: withProperties(`{"a\u0000b":1}`), status: 200, kept: 1, invalid: []int{0}, says: "NUL character"},
		{name: "nesting too deep", body: withProperties(`{"a":` + deep(20_000) + `}`), status: 200, kept: 1, invalid: []int{0}, says: "nested deeper"},
		{name: "invalid UTF-8", body: withProperties("{\"a\":\"\xff\xfe\"}"), status: 200, kept: 1, invalid: []int{0}, says: "properties.a: invalid UTF-8",
			check: func(t *testing.T, _ answer, r []event.Record) {
				if r[0].Context.Encoding != "base64" {
					t.Errorf("encoding %q", r[0].Context.Encoding)
				}
			}},

		{name: "not JSON", body: `{"event":"e","deviceId"`, status: 400, code: "malformed", kept: 1},
		{name: "a raw NUL", body: "{\"event\":\"a\x00b\",\"deviceId\":\"d\"}", status: 400, code: "malformed", kept: 1},
		{name: "not JSON and not UTF-8", body: "\xff\xfe\x00", status: 400, code: "malformed", kept: 1,
			check: func(t *testing.T, _ answer, r []event.Record) {
				if r[0].Context.Encoding != "base64" {
					t.Errorf("encoding %q", r[0].Context.Encoding)
				}
			}},
		{name: "lines of JSON", body: purchase + "\n" + purchase, status: 400, code: "malformed", kept: 1, says: "as an array"},
		{name: "white space", body: " \n", status: 400, code: "malformed", kept: 1},
		{name: "a million open brackets", body: strings.Repeat("[", 1_000_000), status: 400, code: "malformed", kept: 1},
		{name: "gzip cut short", body: zipped(t, purchase)[:60], options: []option{header("Content-Encoding", "gzip")}, status: 400, code: "malformed", kept: 1, says: "gzip"},
		{name: "a header of gzip, but no gzip", body: purchase, options: []option{header("Content-Encoding", "gzip")}, status: 200, kept: 1},
		{name: "gzip without its header", body: zipped(t, purchase), status: 200, kept: 1},
		{name: "a byte order mark", body: "\ufeff" + purchase, status: 200, kept: 1},
		{name: "a byte order mark within gzip", body: zipped(t, "\ufeff["+purchase+"]"), status: 200, kept: 1},
		{name: "JSON as curl sends it", body: purchase, options: []option{header("Content-Type", "application/x-www-form-urlencoded")}, status: 200, kept: 1},
		{name: "JSON as octets", body: purchase, options: []option{header("Content-Type", "application/octet-stream")}, status: 200, kept: 1},
		{name: "a form that is none", body: "event=purchase&deviceId=d", options: []option{header("Content-Type", "application/x-www-form-urlencoded")}, status: 400, code: "malformed", kept: 1},
		{name: "an empty body", body: "", status: 400, code: "empty"},
		{name: "an empty body within gzip", body: zipped(t, ""), options: []option{header("Content-Encoding", "gzip")}, status: 400, code: "empty"},

		{name: "no key", body: purchase, options: []option{path("/v1/events")}, status: 401, code: "key"},
		{name: "an unknown key", body: purchase, options: []option{path("/v1/events?key=pk_test_other")}, status: 401, code: "key"},
		{name: "another authorization", body: purchase, options: []option{path("/v1/events"), header("Authorization", "Basic "+siteKey)}, status: 401, code: "key"},
		{name: "an origin not allowed", body: purchase, options: []option{header("Origin", "https://evil.example")}, status: 403, code: "origin"},
		{name: "a wildcard's own domain", body: purchase, options: []option{header("Origin", "https://shop.example.com")}, status: 403, code: "origin"},
		{name: "the null origin", body: purchase, options: []option{header("Origin", "null")}, status: 403, code: "origin"},
		{name: "GET", body: "", options: []option{method(http.MethodGet)}, status: 405, code: "method"},
		{name: "a page", body: purchase, options: []option{header("Content-Type", "text/html")}, status: 415, code: "type"},
		{name: "brotli", body: purchase, options: []option{header("Content-Encoding", "br")}, status: 415, code: "encoding"},

		{name: "10 MB", body: strings.Repeat(" ", 10_000_000), status: 413, code: "body_size"},
		{name: "a body over the limit of unknown length", body: strings.Repeat(" ", 1<<20+1), options: []option{func(r *http.Request) { r.ContentLength = -1 }}, status: 413, code: "body_size"},
		{name: "a gzip bomb", body: zipped(t, strings.Repeat(" ", 20_000_000)), options: []option{header("Content-Encoding", "gzip")}, status: 413, code: "body_size", says: "inflates"},
		{name: "5,000 events", body: events(5000), status: 413, code: "batch_size", says: "5000"},
		{name: "5,000 tiny events within gzip", body: zipped(t, events(5000)), options: []option{header("Content-Encoding", "gzip")}, status: 413, code: "batch_size"},
		{name: "1,000 events", body: events(1000), status: 200, kept: 1000},
		{name: "an event over its limit", body: "[" + purchase + "," + withProperties(`{"a":"`+strings.Repeat("x", 64<<10)+`"}`) + "]", status: 413, code: "event_size", says: "event 1"},
		{name: "one event over its limit", body: withProperties(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`), status: 413, code: "event_size"},
		{name: "a batch above the burst", config: limited(1, 3), body: events(4), status: 413, code: "burst", says: "3"},
		{name: "over the rate", config: limited(quantity.Rate(1)/60, 3), prepare: func(g *gateway) { g.post(t, events(3)); g.log.set(func(l *memoryLog) { l.records = nil }) },
			body: events(2), status: 429, code: "rate", check: wantRetryAfter("120")},
		{name: "a malformed body over the rate", config: limited(quantity.Rate(1)/60, 3), prepare: func(g *gateway) { g.post(t, events(3)); g.log.set(func(l *memoryLog) { l.records = nil }) },
			body: "{", status: 429, code: "rate", check: wantRetryAfter("60")},

		{name: "the log is full", prepare: failing(fault.After(errors.New("full"), 7*time.Second)), body: purchase, status: 503, code: "log", check: wantRetryAfter("7")},
		{name: "the log is away", prepare: failing(errors.New("no route to 10.1.2.3")), body: purchase, status: 503, code: "log", check: wantRetryAfter("1")},
		{name: "the log is away for a malformed body", prepare: failing(errors.New("away")), body: "{", status: 503, code: "log", check: wantRetryAfter("1")},
		{name: "too large for the log", prepare: failing(fault.Permanent(errors.New("too large"))), body: purchase, status: 413, code: "body_size", says: "smaller batches"},
		{name: "shutting down", prepare: func(g *gateway) { g.dispatcher.Drain() }, body: purchase, status: 503, code: "draining", check: wantRetryAfter("1")},
		{name: "a panic", prepare: func(g *gateway) {
			g.log.set(func(l *memoryLog) { l.fault = func(context.Context) error { panic("secret") } })
		}, body: purchase, status: 500, code: "internal"},
	}
}

func wantRetryAfter(seconds string) func(*testing.T, answer, []event.Record) {
	return func(t *testing.T, a answer, _ []event.Record) {
		t.Helper()
		if got := a.header.Get("Retry-After"); got != seconds {
			t.Errorf("Retry-After %q, want %q", got, seconds)
		}
	}
}

func (s scenario) start(t *testing.T) *gateway {
	t.Helper()
	c := testConfig()
	if s.config != nil {
		s.config(&c)
	}
	g := newGateway(t, c)
	if s.prepare != nil {
		s.prepare(g)
	}
	return g
}

func TestTable(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			g := s.start(t)
			a := g.post(t, s.body, s.options...)
			if a.status != s.status || a.Code != s.code {
				t.Fatalf("answer %d %s, want %d %s", a.status, a.body, s.status, s.code)
			}
			records := g.log.all()
			if len(records) != s.kept {
				t.Fatalf("%d records kept, want %d", len(records), s.kept)
			}
			checkAnswer(t, s, a)
			if s.status == 400 && s.kept == 1 && (records[0].Context.Malformed == "" || string(records[0].Data) != s.body) {
				t.Errorf("the malformed body was not kept whole and marked: %+v", records[0].Context)
			}
			if s.check != nil {
				s.check(t, a, records)
			}
		})
	}
}

// checkAnswer checks what holds for every answer.
func checkAnswer(t *testing.T, s scenario, a answer) {
	t.Helper()
	for _, name := range []string{"X-Request-Id", "X-Content-Type-Options", "Cache-Control", "Vary"} {
		if a.header.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	if a.header.Get("Content-Type") != "application/json" {
		t.Errorf("content type %q", a.header.Get("Content-Type"))
	}
	if strings.Contains(string(a.body), "secret") || strings.Contains(string(a.body), "10.1.2.3") {
		t.Errorf("the answer tells what is not the client's: %s", a.body)
	}
	if s.status != 200 {
		if a.Error == "" || !strings.Contains(a.Error, s.says) {
			t.Errorf("error %q, want %q in it", a.Error, s.says)
		}
		return
	}
	if a.Accepted == nil || *a.Accepted != s.kept {
		t.Fatalf("answer %s, want %d accepted", a.body, s.kept)
	}
	var invalid []int
	for _, i := range a.Invalid {
		invalid = append(invalid, i.Index)
	}
	if fmt.Sprint(invalid) != fmt.Sprint(s.invalid) {
		t.Fatalf("invalid %v, want %v: %s", invalid, s.invalid, a.body)
	}
	if len(invalid) > 0 && !strings.Contains(a.Invalid[0].Error, s.says) {
		t.Errorf("fault %q, want %q in it", a.Invalid[0].Error, s.says)
	}
}
