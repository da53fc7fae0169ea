package event_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

var receivedAt = time.Date(2026, 11, 20, 9, 15, 2, 0, time.UTC)

func parse(t *testing.T, data string, c event.Context) event.Event {
	t.Helper()
	var e event.Event
	if err := event.Parse(&event.Record{ReceivedAt: receivedAt, EventID: "id", Data: []byte(data), Context: c}, &e); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return e
}

func TestParse(t *testing.T) {
	got := parse(t, ` { "event" : "a\u0062", "deviceId":"d","userId":"u","timestamp":"2026-11-20T10:14:40.5+01:00","other":[{}],
		"properties":{"z":12345678901234567890,"a":1.10,"\n":"x","l":[1,[],{"k":null}],"o":{"t":true,"f":false},"half":"\ud800"},
		"userProperties":{"tier":"gold"},
		"context":{"page":{"url":"U","path":"P","referrer":"R","title":"T","x":1},"screen":{"width":1440,"height":900.7},"locale":"de","sessionId":7,
			"userAgent":"payload","consent":{"a":true,"b":false,"c":"true"},"userProperties":{"no":1}}} `, event.Context{IP: "1.2.3.0"})
	want := event.Event{
		EventID: "id", Name: "ab", DeviceID: "d", UserID: "u", Time: time.Date(2026, 11, 20, 9, 14, 40, 5e8, time.UTC), ReceivedAt: receivedAt,
		Properties: []event.Property{
			{Name: "z", Value: event.NumberValue("12345678901234567890")}, {Name: "a", Value: event.NumberValue("1.10")}, {Name: "\n", Value: event.StringValue("x")},
			{Name: "l", Value: event.Value{Kind: event.Array, Items: []event.Value{event.NumberValue("1"), {Kind: event.Array},
				{Kind: event.Object, Fields: []event.Property{{Name: "k"}}}}}},
			{Name: "o", Value: event.Value{Kind: event.Object, Fields: []event.Property{{Name: "t", Value: event.BoolValue(true)}, {Name: "f", Value: event.BoolValue(false)}}}},
			{Name: "half", Value: event.StringValue("\uFFFD")},
		},
		UserProperties: []event.Property{{Name: "tier", Value: event.StringValue("gold")}},
		Page:           event.Page{URL: "U", Path: "P", Referrer: "R", Title: "T"}, Screen: event.Screen{Width: 1440, Height: 900},
		Locale: "de", SessionID: "7", UserAgent: "payload", IP: "1.2.3.0", Consent: map[string]bool{"a": true, "b": false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseIsLenientWithContext(t *testing.T) {
	got := parse(t, `{"event":"pageview","deviceId":"d","userId":null,"timestamp":null,"properties":{"pathname":"/a"},
		"context":{"page":"x","screen":{"width":"1","height":-1},"locale":5,"sessionId":{},"consent":[],"userAgent":"payload"}}`, event.Context{UserAgent: "header"})
	want := event.Event{EventID: "id", Name: "pageview", DeviceID: "d", Time: receivedAt, ReceivedAt: receivedAt, UserAgent: "header",
		Properties: []event.Property{{Name: "pathname", Value: event.StringValue("/a")}}, Page: event.Page{Path: "/a"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefusesWhatIsNoEvent(t *testing.T) {
	for _, data := range []string{"", "null", "[]", "{}", `{"event":"a"}`, `{"event":1,"deviceId":"d"}`, `{"event":"a","deviceId":"d"`, `{"event":"a","deviceId":"d"}x`, `{"event":"a","deviceId":"d",}`,
		`{"event":"a","deviceId":"d","properties":{"a" 1}}`, `{"event":"a","deviceId":"d","p":` + strings.Repeat("[", 1e6),
		`{"event":"a","deviceId":"d","properties":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`} {
		var e event.Event
		if event.Parse(&event.Record{Data: []byte(data)}, &e) == nil {
			t.Errorf("%.60s: parsed", data)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"event":"a","deviceId":"d","properties":{"a":[1,{"b":"\u0061"}]},"context":{"page":{"url":"x"},"consent":{"a":true}}}`, `{"event":`, `[[[`, `{"a":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e event.Event
		err := event.Parse(&event.Record{Data: data, ReceivedAt: receivedAt}, &e)
		name := event.ReadName(data)
		if _, refused := event.Inspect(data); refused == nil && (err != nil || name != e.Name) {
			t.Errorf("%q keeps the contract and is not parsed: %v, names %q and %q", data, err, name, e.Name)
		}
		if err == nil && !json.Valid(data) {
			t.Errorf("%q is not JSON and was parsed", data)
		}
	})
}

func TestReadName(t *testing.T) {
	for data, want := range map[string]string{
		`{"event":"a","event":"b"}`:                              "a",
		` {"x":{"event":"inner"},"\u0065vent":"\u0061b"}`:        "ab",
		`{"event":"half \ud800"}`:                                "half \uFFFD",
		`{"event":"first","x":` + strings.Repeat("[", 100) + `}`: "first",
		`{"event":1,"event":"b"}`:                                "",
		`[{"event":"a"}]`:                                        "",
		`{"event":"a`:                                            "",
		``:                                                       "",
	} {
		if got := event.ReadName([]byte(data)); got != want {
			t.Errorf("%.60s: %q, want %q", data, got, want)
		}
	}
}

func TestCutIP(t *testing.T) {
	for address, want := range map[string]string{
		"198.51.100.7": "198.51.100.0", "::ffff:198.51.100.7": "198.51.100.0", "2001:db8:1:2:3::4": "2001:db8:1::", "fe80::1%eth0": "fe80::",
	} {
		if got := event.CutIP(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s is cut to %s, want %s", address, got, want)
		}
	}
	if got := event.CutIP(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is cut to %s", got)
	}
}
