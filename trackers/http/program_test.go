package http_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/http"
)

// with is a configuration around an event program, which is written as a block.
func with(program string, more ...string) string {
	return "url: https://collector.example.com/events\nevent: |\n  " + strings.ReplaceAll(program, "\n", "\n  ") + "\n" + strings.Join(more, "\n")
}

// one translates one event and returns its body, or the rejection.
func one(t *testing.T, config string, e event.Event) (string, tracker.Rejection) {
	t.Helper()
	built, _ := build(t, config)
	requests, rejections := built.Requests([]event.Event{e})
	if len(requests)+len(rejections) != 1 {
		t.Fatalf("%d requests, %d rejections", len(requests), len(rejections))
	}
	if len(rejections) == 1 {
		return "", rejections[0]
	}
	return string(requests[0].Body), tracker.Rejection{}
}

func TestNumbersAreExact(t *testing.T) {
	e := trackertest.Track()
	for _, n := range []string{"12345678901234567890", "1.10", "-0", "1e400", "0.1", "-2.5E-7", strings.Repeat("9", 500)} {
		e.Properties = []event.Property{{Name: "n", Value: event.NumberValue(n)}}
		if got, rejected := one(t, with("{ n: .properties.n, list: [.properties.n] }"), e); got != `{"list":[`+n+`],"n":`+n+`}` {
			t.Errorf("%s becomes %s %s", n, got, rejected.Reason)
		}
	}
	e.Properties = []event.Property{{Name: "n", Value: event.NumberValue("12345678901234567890")}}
	if got, _ := one(t, with(".properties.n + 1"), e); got != "12345678901234567891" {
		t.Errorf("a sum of whole numbers is %s", got)
	}
}

func TestWhatAProgramGives(t *testing.T) {
	for name, try := range map[string]struct {
		program, want, reason string
		skip                  bool
	}{
		"a member":             {program: ".userId", want: `"user-48213"`},
		"absent is null":       {program: "[.nothing, .context.consent]", want: "[null,null]"},
		"times":                {program: "[.timestamp, .timestampMs, .receivedAtMs]", want: `["2026-11-20T09:15:02.417Z",1795166102417,1795166102600]`},
		"context":              {program: ".context | [.page.path, .screen.width, .locale, .sessionId, .ip]", want: `["/posts/42",1440,"en-GB","1795165800","203.0.113.0"]`},
		"members are sorted":   {program: "{ z: 1, a: 2 }", want: `{"a":2,"z":1}`},
		"floats":               {program: "[1/3, 1e300, 5e-7, (1e999), nan]", want: "[0.3333333333333333,1e+300,5e-07,1.7976931348623157e+308,null]"},
		"sha256":               {program: ".userId | sha256", want: `"` + sum("user-48213") + `"`},
		"uuid stays":           {program: ".eventId | ascii_upcase | uuid", want: `"0f6c3b9e-5d0a-4f0e-9a53-8f6b1c2d7e41"`},
		"uuid is made":         {program: `"evt-1" | uuid | test("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")`, want: "true"},
		"uuid of no text":      {program: "1 | uuid", reason: "the program fails on this event"},
		"left out":             {program: "empty", reason: "left out by the program", skip: true},
		"a reason of its own":  {program: `error("userId: wanted")`, reason: "userId: wanted"},
		"no values in reasons": {program: `error("not for " + .userId)`, reason: "the program fails on this event"},
		"nor of the machine":   {program: ".userId + 1", reason: "the program fails on this event"},
		"several values":       {program: ".userId, .deviceId", reason: "the program gives more than one value for this event"},
		"without an end":       {program: "def f: f; f", reason: "the program takes too many steps on this event"},
		"without an end, try":  {program: "try (def f: 1 + f; f) catch 1", reason: "the program takes too many steps on this event"},
		"endless when written": {program: "reduce range(60) as $i (1; [., .])", reason: "event: larger than a request"},
		"too large":            {program: `"x" * 2000000`, reason: "event: larger than a request"},
		"too deep":             {program: "reduce range(2000) as $i (1; [.])", reason: "event: larger than a request"},
	} {
		t.Run(name, func(t *testing.T) {
			got, rejection := one(t, with(try.program), trackertest.Track())
			if got != try.want || rejection.Reason != try.reason || rejection.Skip != try.skip {
				t.Errorf("gives %q, rejection %+v; want %q, %q", got, rejection, try.want, try.reason)
			}
		})
	}
}

func sum(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func TestErrorsSayWhere(t *testing.T) {
	for program, want := range map[string]string{
		".a\n| b(":                               "event: line 2, column 5: unexpected EOF",
		"{ a: 1,\n  b: ] }":                      `event: line 2, column 6: unexpected token "]"`,
		"# misspelt\n\"misspelt\" | misspelt(1)": "event: line 2, column 14: function not defined: misspelt/1",
		"{ \"ü\": .a,\n  k: $unset }":            "event: line 2, column 6: variable not defined: $unset",
		`"a \(lost) b"`:                          "event: line 1, column 6: function not defined: lost/0",
		"{ at: now }":                            "event: line 1, column 7: now is refused",
		".a | $ENV.HOME":                         "event: line 1, column 6: $ENV is refused",
		"import \"x\" as x; .":                   "event: line 1, column 1: import is refused",
		".a |= input":                            "event: line 1, column 7: input is refused",
		"\"open":                                 "event: line 1, column 6: unterminated string literal",
	} {
		if _, _, err := tryBuild(with(program)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", program, err, want)
		}
	}
}

func TestEnvelopesPlaceTheEventsOnce(t *testing.T) {
	for envelope, want := range map[string]string{
		"{ key: $key, events: . }": `{"events":[1,1],"key":"not-a-real-key"}`,
		".":                        "[1,1]",
		"[., {end: true}]":         `[[1,1],{"end":true}]`,
		"{ n: length }":            "",
		"[., .]":                   "",
		"{ (.): 1 }":               "",
		"map(.)":                   "",
		"empty":                    "",
		"., .":                     "",
		"def f: f; f":              "",
	} {
		config := with("1", "secrets: { key: not-a-real-key }", "batch: { maxEvents: 2, envelope: '"+envelope+"' }")
		built, _, err := tryBuild(config)
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "batch.envelope: ") {
				t.Errorf("%s: error %v, want one of batch.envelope", envelope, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", envelope, err)
			continue
		}
		requests, _ := built.Requests([]event.Event{trackertest.Track(), trackertest.Track(), trackertest.Track()})
		if len(requests) != 2 || string(requests[0].Body) != want {
			t.Errorf("%s: %d requests, the first is %s; want %s", envelope, len(requests), requests[0].Body, want)
		}
	}
}

// The signature is checked as a receiver would, who knows only the key.
func TestBodiesAreSigned(t *testing.T) {
	for name, try := range map[string]struct{ config, header, signed string }{
		"the body":           {"hmac: { secret: not-a-real-key }", "X-Signature", `"user-48213"`},
		"time and body":      {"hmac: { secret: not-a-real-key, prefix: 'v1=', timestamp: X-Time }", "X-Signature", `1795166102."user-48213"`},
		"under another name": {"hmac: { secret: not-a-real-key, header: X-Hub-Signature-256, prefix: 'sha256=' }", "X-Hub-Signature-256", `"user-48213"`},
	} {
		t.Run(name, func(t *testing.T) {
			built, _ := build(t, with(".userId", try.config))
			requests, _ := built.Requests([]event.Event{trackertest.Track()})
			mac := hmac.New(sha256.New, []byte("not-a-real-key"))
			mac.Write([]byte(try.signed))
			_, got, _ := strings.Cut("="+requests[0].Header.Get(try.header), "=")
			got = got[strings.IndexByte(got, '=')+1:]
			if got != hex.EncodeToString(mac.Sum(nil)) {
				t.Errorf("header %s is %s", try.header, requests[0].Header.Get(try.header))
			}
		})
	}
	built, _ := build(t, with(".", "hmac: { secret: not-a-real-key, encoding: base64 }"))
	if requests, _ := built.Requests([]event.Event{trackertest.Track()}); !strings.HasSuffix(requests[0].Header.Get("X-Signature"), "=") {
		t.Errorf("not base64: %s", requests[0].Header.Get("X-Signature"))
	}
}

func TestBaseURLReplacesTheHost(t *testing.T) {
	built, traits := build(t, with(".", "baseURL: http://127.0.0.1:9000/mirror", "query: { k: not-a-real-key }"))
	requests, _ := built.Requests([]event.Event{trackertest.Track()})
	if got := requests[0].URL; got != "http://127.0.0.1:9000/mirror/events?k=not-a-real-key" || traits.Unencrypted {
		t.Errorf("URL %s, unencrypted %v", got, traits.Unencrypted)
	}
}

// FuzzEvents: whatever an event holds, it is in a request or rejected, and the
// request is JSON within its size.
func FuzzEvents(f *testing.F) {
	for _, c := range trackertest.Corpus() {
		for _, e := range c.Events {
			f.Add(uint64(1), e.Name, e.EventID, e.DeviceID, e.UserID, e.Page.URL, "1.10")
		}
	}
	var trackers []tracker.Tracker
	for _, config := range []string{example(f, "mixpanel"), example(f, "posthog"), webhook} {
		built, _ := build(f, config)
		trackers = append(trackers, built)
	}
	f.Fuzz(func(t *testing.T, seed uint64, name, id, device, user, url, key string) {
		batch := trackertest.Events(seed, 3)
		e := trackertest.Track()
		e.Name, e.EventID, e.DeviceID, e.UserID, e.Page.URL = name, id, device, user, url
		e.Properties = append(e.Properties, event.Property{Name: key, Value: event.StringValue(url)})
		batch = append(batch, e)
		for _, built := range trackers {
			requests, rejections := built.Requests(batch)
			checkPlaces(t, batch, requests, rejections)
		}
	})
}

// FuzzPrograms: any source compiles or is refused with its place.
func FuzzPrograms(f *testing.F) {
	for _, source := range []string{".", "{a: .b}", "if . then", "\"\\(.a)\"", "def f: f; f", "@base64 \"x\\(1)\"", "# c", "now", "[.[] as [$a, {b: $c}] ?// $d | $a]", "import \"a\" as a; 1"} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		_, _, err := http.Kind().Build(func(into any) error {
			c := into.(*http.Config)
			c.URL, c.Event = "https://collector.example.com", source
			return nil
		})
		if err != nil && strings.TrimSpace(source) != "" && !strings.Contains(err.Error(), "http: event: line ") {
			t.Errorf("%q: the error names no place: %v", source, err)
		}
	})
}
