package segment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/segment"
)

func TestTranslation(t *testing.T) {
	for name, c := range map[string]struct{ kind, message, want string }{
		"track": {
			"", `{"type":"track","event":"Order Completed","anonymousId":"a-1","userId":"u-1","messageId":"m-1","timestamp":"2026-11-20T09:15:03.123Z","properties":{"revenue":19.90,"n":12345678901234567890}}`,
			`{"event":"Order Completed","deviceId":"a-1","userId":"u-1","eventId":"m-1","timestamp":"2026-11-20T09:15:03.123Z","properties":{"revenue":19.90,"n":12345678901234567890}}`,
		},
		"the path says the type": {"track", `{"event":"e","anonymousId":"a"}`, `{"event":"e","deviceId":"a"}`},
		"the message's own type goes before the path's": {
			"track", `{"type":"screen","name":"Home","userId":"u"}`, `{"event":"screen","deviceId":"u","userId":"u","properties":{"name":"Home"}}`,
		},
		"page": {
			"page", `{"anonymousId":"a","name":"Docs","category":"Help","properties":{"path":"/docs","url":"https://x.example/docs","title":"T"}}`,
			`{"event":"pageview","deviceId":"a","properties":{"path":"/docs","url":"https://x.example/docs","title":"T","name":"Docs","category":"Help","pathname":"/docs"},"context":{"page":{"url":"https://x.example/docs","path":"/docs","title":"T"}}}`,
		},
		"page, its path in the context": {
			"page", `{"anonymousId":"a","properties":{"name":"own"},"name":"other","context":{"page":{"path":"/p","search":"?q"}}}`,
			`{"event":"pageview","deviceId":"a","properties":{"name":"own","pathname":"/p"},"context":{"page":{"path":"/p"}}}`,
		},
		"identify": {
			"identify", `{"userId":"u","traits":{"plan":"pro","age":7}}`,
			`{"event":"identify","deviceId":"u","userId":"u","properties":{"plan":"pro","age":7},"userProperties":{"plan":"pro","age":7}}`,
		},
		"identify, as RudderStack's browser SDK has it": {
			"", `{"type":"identify","anonymousId":"a","userId":"","context":{"traits":{"plan":"pro"},"sessionId":1795165800000}}`,
			`{"event":"identify","deviceId":"a","properties":{"plan":"pro"},"userProperties":{"plan":"pro"},"context":{"sessionId":"1795165800000"}}`,
		},
		"group": {
			"group", `{"anonymousId":"a","groupId":17,"traits":{"seats":3},"context":{"traits":{"plan":"pro"}}}`,
			`{"event":"group","deviceId":"a","properties":{"seats":3,"groupId":"17"},"userProperties":{"plan":"pro"}}`,
		},
		"alias": {"alias", `{"userId":"new","previousId":"old"}`, `{"event":"alias","deviceId":"new","userId":"new","properties":{"previousId":"old"}}`},
		"context": {
			"track", `{"event":"e","anonymousId":"a","userId":42,"originalTimestamp":"2026-11-20T10:15:03+0100","context":{"ip":"192.0.2.77","userAgent":"UA","locale":"de-CH","timezone":"Europe/Zurich",
				"screen":{"width":1920,"height":1080,"density":2},"library":{"name":"x"},"consent":{"categoryPreferences":{"Advertising":false,"Analytics":true}}}}`,
			`{"event":"e","deviceId":"a","userId":"42","timestamp":"2026-11-20T09:15:03Z","context":{"screen":{"width":1920,"height":1080,"density":2},"locale":"de-CH","userAgent":"UA","ip":"192.0.2.77","consent":{"Advertising":false,"Analytics":true}}}`,
		},
		"consent, as RudderStack's SDKs tell it": {
			"track", `{"event":"e","anonymousId":"a","context":{"consentManagement":{"deniedConsentIds":["ads","both"],"allowedConsentIds":["stats","both",3]}}}`,
			`{"event":"e","deviceId":"a","context":{"consent":{"ads":false,"both":false,"stats":true}}}`,
		},
		"a campaign is where vendors look for it": {
			"page", `{"anonymousId":"a","context":{"page":{"url":"https://shop.example/pricing?a=1#x","path":"/pricing"},"campaign":{"name":"spring sale","source":"newsletter","id":7}}}`,
			`{"event":"pageview","deviceId":"a","properties":{"pathname":"/pricing"},"context":{"page":{"url":"https://shop.example/pricing?a=1&utm_source=newsletter&utm_campaign=spring+sale&utm_id=7#x","path":"/pricing"}}}`,
		},
		"an address that has a campaign keeps it": {
			"page", `{"anonymousId":"a","context":{"page":{"url":"https://shop.example/?utm_source=x"},"campaign":{"name":"spring"}}}`,
			`{"event":"pageview","deviceId":"a","context":{"page":{"url":"https://shop.example/?utm_source=x"}}}`,
		},
		"a session of an integration": {
			"track", `{"event":"e","anonymousId":"a","integrations":{"All":true,"Actions Amplitude":{"session_id":1795843417382}}}`,
			`{"event":"e","deviceId":"a","context":{"sessionId":"1795843417382"}}`,
		},
		"a time with a blank, without a zone": {
			"track", `{"event":"e","anonymousId":"a","timestamp":"2026-11-28 04:00:00"}`, `{"event":"e","deviceId":"a","timestamp":"2026-11-28T04:00:00Z"}`,
		},
		"a time without seconds": {
			"track", `{"event":"e","anonymousId":"a","timestamp":"2026-11-28T04:00Z"}`, `{"event":"e","deviceId":"a","timestamp":"2026-11-28T04:00:00Z"}`,
		},
		"a time in seconds": {
			"track", `{"event":"e","anonymousId":"a","timestamp":1795842000}`, `{"event":"e","deviceId":"a","timestamp":"2026-11-28T05:00:00Z"}`,
		},
		"a time in milliseconds": {
			"track", `{"event":"e","anonymousId":"a","timestamp":1795842000123}`, `{"event":"e","deviceId":"a","timestamp":"2026-11-28T05:00:00.123Z"}`,
		},
		"Go's zero time is absent": {
			"track", `{"event":"e","anonymousId":"a","timestamp":"0001-01-01T00:00:00Z","originalTimestamp":"2026-11-20T10:15:03Z"}`,
			`{"event":"e","deviceId":"a","timestamp":"2026-11-20T10:15:03Z"}`,
		},
		"timestamp goes before originalTimestamp": {
			"track", `{"event":"e","anonymousId":"a","timestamp":"2012-12-02","originalTimestamp":"2026-11-20T10:15:03Z","context":{"page":3}}`,
			`{"event":"e","deviceId":"a","timestamp":"2012-12-02T00:00:00Z"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := segment.Inspect([]byte(c.message), c.kind); err != nil {
				t.Errorf("refused: %v", err)
			}
			r := event.Record{Data: []byte(c.message), Context: event.Context{Format: segment.Format(c.kind)}}
			segment.Translate(&r)
			if diff := cmp.Diff(c.want, string(r.Translated)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if string(r.Data) != c.message {
				t.Error("the data was changed")
			}
		})
	}
}

func TestInspect(t *testing.T) {
	sent := time.Date(2026, 11, 20, 9, 15, 3, 0, time.UTC)
	for name, c := range map[string]struct {
		kind, message, fault string
		want                 segment.Message
	}{
		"all there": {
			"", `{"type":"track","event":"e","userId":"u","messageId":"m","sentAt":"2026-11-20T09:15:03Z","writeKey":"pk_1"}`, "",
			segment.Message{EventID: "m", SentAt: sent, WriteKey: "pk_1"},
		},
		"no type":        {"", `{"event":"e","userId":"u","messageId":"m"}`, "type: want track, page, screen, identify, group or alias", segment.Message{EventID: "m"}},
		"another type":   {"track", `{"type":"video","userId":"u"}`, "type: want track, page, screen, identify, group or alias", segment.Message{}},
		"nobody":         {"track", `{"event":"e","userId":"","anonymousId":null}`, "anonymousId or userId: required", segment.Message{}},
		"no name":        {"track", `{"userId":"u","properties":{}}`, "event: required", segment.Message{}},
		"number as name": {"track", `{"event":3,"userId":"u"}`, "event: must be a string", segment.Message{}},
		"long name":      {"track", `{"event":"` + strings.Repeat("e", 201) + `","userId":"u"}`, "event: longer than 200 characters", segment.Message{}},
		"long device":    {"page", `{"anonymousId":"` + strings.Repeat("e", 257) + `"}`, "anonymousId: longer than 256 characters", segment.Message{}},
		"bad message id": {"page", `{"anonymousId":"a","messageId":"a\nb"}`, "messageId: has a character that is not printable", segment.Message{}},
		"name twice":     {"page", `{"anonymousId":"a","messageId":"m","properties":{"a":1,"a":2}}`, "properties.a: duplicate name", segment.Message{EventID: "m"}},
		"not UTF-8":      {"page", "{\"anonymousId\":\"a\",\"messageId\":\"m\xff\"}", "messageId: invalid UTF-8", segment.Message{}},
		"no time": {"page", `{"anonymousId":"a","messageId":"m","timestamp":"yesterday"}`,
			"timestamp: must be an RFC 3339 time, such as 2026-01-31T12:00:00Z", segment.Message{EventID: "m"}},
		"no object": {"page", `[1]`, "must be a JSON object", segment.Message{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := segment.Inspect([]byte(c.message), c.kind)
			fault := ""
			if err != nil {
				fault = err.Error()
			}
			if fault != c.fault {
				t.Errorf("fault %q, want %q", fault, c.fault)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	_, err := segment.Inspect([]byte(`{"type":`), "")
	if _, ok := errors.AsType[*event.SyntaxError](err); !ok {
		t.Errorf("not JSON: %v, want a syntax error", err)
	}
}

// Records of another format, and bodies that are not JSON, are left alone.
func TestTranslateLeavesAlone(t *testing.T) {
	for name, r := range map[string]event.Record{
		"Sparrow's own": {Data: []byte(`{"type":"track","event":"e","userId":"u"}`)},
		"malformed":     {Data: []byte(`{"type":`), Context: event.Context{Format: segment.Format(""), Malformed: "unexpected end"}},
		"no object":     {Data: []byte(`7`), Context: event.Context{Format: segment.Format("page"), Invalid: "must be a JSON object"}},
	} {
		t.Run(name, func(t *testing.T) {
			if segment.Translate(&r); r.Translated != nil {
				t.Errorf("translated: %s", r.Translated)
			}
		})
	}
}

// A message that a server relays speaks of the visitor; one that a browser sends
// comes with the visitor's own request.
func TestWhoTheVisitorIs(t *testing.T) {
	const message = `{"type":"track","event":"e","userId":"u","context":{"ip":"203.0.113.77","userAgent":"Visitor/1"}}`
	for name, c := range map[string]struct{ data, origin, ip, agent string }{
		"from a server":              {message, "", "203.0.113.0", "Visitor/1"},
		"from a server that is mute": {`{"type":"track","event":"e","userId":"u"}`, "", "", ""},
		"from a page":                {message, "https://x.example", "198.51.100.0", "Visitor/1"},
		"from a page that is mute":   {`{"type":"track","event":"e","userId":"u"}`, "https://x.example", "198.51.100.0", "axios/1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := event.Record{Data: []byte(c.data), Context: event.Context{Format: segment.Format(""), IP: "198.51.100.0", UserAgent: "axios/1", Origin: c.origin}}
			segment.Translate(&r)
			var e event.Event
			if err := event.Parse(&r, &e); err != nil {
				t.Fatal(err)
			}
			if e.IP != c.ip || e.UserAgent != c.agent {
				t.Errorf("%q %q, want %q %q", e.IP, e.UserAgent, c.ip, c.agent)
			}
		})
	}
}

// FuzzTranslate holds the promises: nothing panics, the data stays, what Inspect
// accepts is an event when it is translated, and Inspect and the event agree on
// the id.
func FuzzTranslate(f *testing.F) {
	for _, kind := range []string{"", "track", "page", "screen", "identify", "group", "alias", "other"} {
		for _, seed := range []string{
			`{"type":"track","event":"e","userId":"u","messageId":"m","properties":{"a":[1,{"b":null}]},"timestamp":"2026-11-20T09:15:03Z"}`,
			`{"anonymousId":"\ud83d","name":"n","category":"c","traits":{"x":1},"groupId":1,"previousId":"p","context":{"page":{"path":"/"},"traits":{},"consent":{"categoryPreferences":{"a":true}}}}`,
			`{"userId":1e400,"event":"\u0000","timestamp":"9999-12-31T23:59:59-12:00"}`, `[]`, `{`, "{\"event\":\"\xff\"}",
		} {
			f.Add([]byte(seed), kind)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, kind string) {
		before := string(data)
		found, err := segment.Inspect(data, kind)
		r := event.Record{Data: data, EventID: found.EventID, ReceivedAt: time.Unix(1e9, 0), Context: event.Context{Format: segment.Format(kind)}}
		segment.Translate(&r)
		if string(data) != before {
			t.Fatal("the data was changed")
		}
		if err != nil {
			return
		}
		eventID, err := event.Inspect(r.Translated)
		if err != nil || eventID != found.EventID {
			t.Fatalf("accepted, but its translation has id %q, not %q: %v\n%s", eventID, found.EventID, err, r.Translated)
		}
		var e event.Event
		if err := event.Parse(&r, &e); err != nil {
			t.Fatalf("accepted, but cannot be read: %v\n%s", err, r.Translated)
		}
	})
}
