package tracker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const password = "not-a-real-secret"

func TestASecretPrintsNowhere(t *testing.T) {
	type config struct {
		Key  tracker.Secret
		Keys map[string][]tracker.Secret
	}
	c := config{Key: password, Keys: map[string][]tracker.Secret{"eu": {password}}}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s"} {
		printed["value "+verb] = fmt.Sprintf(verb, c.Key)
		printed["pointer "+verb] = fmt.Sprintf(verb, &c.Key)
		printed["struct "+verb] = fmt.Sprintf(verb, c)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("configured", "key", c.Key, "config", c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configured", "key", c.Key, "config", c)
	printed["json"], printed["yaml"], printed["slog"] = string(asJSON), string(asYAML), log.String()
	for how, text := range printed {
		if strings.Contains(text, password) || strings.Contains(text, fmt.Sprintf("%x", password)) || !strings.Contains(text, "[secret]") {
			t.Errorf("%s: %s", how, text)
		}
	}
	if c.Key.Reveal() != password || tracker.Secret("").String() != "" {
		t.Error("Reveal does not give the secret, or an unset one looks set")
	}
}

func TestASecretIsReadFromYAML(t *testing.T) {
	var c struct{ Key tracker.Secret }
	if err := yaml.Unmarshal([]byte("key: "+password), &c); err != nil || c.Key.Reveal() != password {
		t.Errorf("%v, %d bytes", err, len(c.Key))
	}
}

func TestMaskURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://user:pw@example.com/mp/collect?api_secret=x&measurement_id=G-1#top": "https://example.com/mp/collect?api_secret=[secret]&measurement_id=[secret]",
		"https://example.com/a%20b?" + password:                                      "https://example.com/a%20b?[secret]",
		"https://example.com":                                                        "https://example.com",
		"http://[::1":                                                                "[invalid URL]",
		"":                                                                           "",
	} {
		if got := tracker.MaskURL(raw); got != want {
			t.Errorf("%s becomes %s, want %s", raw, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	odd := tracker.Secret(`a"b c/d&`)
	for text, want := range map[string]string{
		`{"key":"a\"b c/d&"}`:     `{"key":"[secret]"}`,
		"?key=a%22b+c%2Fd%26&x=1": "?key=[secret]&x=1",
		`a"b c/d& twice a"b c/d&`: "[secret] twice [secret]",
		"nothing":                 "nothing",
	} {
		given := []byte(text)
		if got := tracker.Redact(given, []tracker.Secret{"", "abc", odd}); string(got) != want || string(given) != text {
			t.Errorf("%s becomes %s, want %s; the argument is now %s", text, got, want, given)
		}
	}
}

func TestCheckBaseURL(t *testing.T) {
	for _, try := range []struct {
		raw      string
		insecure bool
		want     string
		err      string
	}{
		{raw: "https://collector.example.com/", want: "https://collector.example.com"},
		{raw: " https://collector.example.com/a//", want: "https://collector.example.com/a"},
		{raw: "http://127.0.0.1:9000", want: "http://127.0.0.1:9000"},
		{raw: "http://[::1]:9000/x", want: "http://[::1]:9000/x"},
		{raw: "http://localhost", want: "http://localhost"},
		{raw: "http://collector.example.com", insecure: true, want: "http://collector.example.com"},
		{raw: "http://collector.example.com", err: "insecure: true"},
		{raw: "http://localhost.example.com", err: "insecure: true"},
		{raw: "ftp://collector.example.com", err: "https://"},
		{raw: "collector.example.com", err: "https://"},
		{raw: "", err: "https://"},
		{raw: "https://", err: "no host"},
		{raw: "https://:443", err: "no host"},
		{raw: "https://user:" + password + "@example.com", err: "credentials"},
		{raw: "https://example.com?" + password, err: "query"},
		{raw: "https://example.com?", err: "query"},
		{raw: "https://example.com#x", err: "fragment"},
		{raw: "https://example.com#", err: "fragment"},
		{raw: "https://" + password + " .com:x", err: "not a URL"},
	} {
		got, err := tracker.CheckBaseURL(try.raw, try.insecure)
		switch {
		case try.err == "" && (err != nil || got != try.want):
			t.Errorf("%q: %q, %v; want %q", try.raw, got, err, try.want)
		case try.err != "" && (err == nil || !strings.Contains(err.Error(), try.err) || !strings.HasPrefix(err.Error(), "baseURL: ")):
			t.Errorf("%q: error %v, want one of baseURL with %q", try.raw, err, try.err)
		case err != nil && strings.Contains(err.Error(), password):
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	for base, want := range map[string]bool{"https://a.example": false, "http://127.0.0.1:1": false, "http://a.example": true} {
		if got := tracker.Unencrypted(base); got != want {
			t.Errorf("Unencrypted(%s) is %v", base, got)
		}
	}
}

func TestHostInRegion(t *testing.T) {
	hosts := map[string]string{"": "https://global.example.com", "global": "https://global.example.com", "eu": "https://eu.example.com"}
	for _, c := range []struct{ region, baseURL, want string }{
		{"", "", "https://global.example.com"},
		{"eu", "", "https://eu.example.com"},
		{"eu", "https://proxy.example.com/", "https://proxy.example.com"},
	} {
		if got, err := (tracker.Host{BaseURL: c.baseURL}).InRegion(c.region, hosts); err != nil || got != c.want {
			t.Errorf("region %q, baseURL %q: %q, %v; want %q", c.region, c.baseURL, got, err, c.want)
		}
	}
	for region, baseURL := range map[string]string{"mars": "https://proxy.example.com", "eu": "http://proxy.example.com"} {
		if got, err := (tracker.Host{BaseURL: baseURL}).InRegion(region, hosts); err == nil {
			t.Errorf("region %q, baseURL %q: %q, want an error", region, baseURL, got)
		}
	}
	if _, err := (tracker.Host{}).InRegion("mars", hosts); err == nil || err.Error() != `region: "mars" is not known; want eu or global` {
		t.Errorf("an unknown region: %v", err)
	}
}

func TestCheckSecret(t *testing.T) {
	for secret, want := range map[tracker.Secret]string{
		password: "", "": "apiKey: required; look there", " \t": "apiKey: required; look there",
		"a b": "apiKey: contains", "a\n": "apiKey: contains", "kéy": "apiKey: contains",
	} {
		err := tracker.CheckSecret("apiKey", secret, "look there")
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%d bytes: %v, want %q", len(secret), err, want)
		}
	}
}

func TestAppendAnyName(t *testing.T) {
	b := tracker.AppendMember([]byte("{"), "a", "1")
	if b = tracker.AppendAnyName(b, `"b"`); string(b) != `{"a":"1","\"b\"":` {
		t.Errorf("%s", b)
	}
}

func TestTruncate(t *testing.T) {
	for _, try := range []struct {
		s     string
		limit int
		want  string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"äöü", 2, "äö"}, {"東京都", 2, "東京"}, {"a🐦b", 2, "a"}, {"a🐦b", 3, "a🐦"},
		{"🐦", 1, ""}, {"", 0, ""}, {"a", 0, ""}, {"\xff\xfe\xfd", 2, "\xff\xfe"},
	} {
		if got := tracker.Truncate(try.s, try.limit); got != try.want {
			t.Errorf("Truncate(%q, %d) is %q, want %q", try.s, try.limit, got, try.want)
		}
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("a🐦東京", 3)
	f.Add("\xff\xf0\x9f", 1)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(limit, 0)
		got := tracker.Truncate(s, limit)
		if !strings.HasPrefix(s, got) || tracker.Length(got) > limit || utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Truncate(%q, %d) is %q", s, limit, got)
		}
		if tracker.Length(s) <= limit && got != s {
			t.Errorf("Truncate(%q, %d) cuts without need", s, limit)
		}
	})
}

func text(properties []event.Property) string {
	return string(event.AppendObject(nil, properties))
}

func TestFlatten(t *testing.T) {
	str, num := event.StringValue, event.NumberValue
	obj := func(p ...event.Property) event.Value { return event.Value{Kind: event.Object, Fields: p} }
	arr := func(v ...event.Value) event.Value { return event.Value{Kind: event.Array, Items: v} }
	input := []event.Property{
		{Name: "user", Value: obj(event.Property{Name: "id", Value: str("nested")}, event.Property{Name: "geo", Value: obj(event.Property{Name: "city", Value: str("Bern")})})},
		{Name: "price", Value: num("1.10")},
		{Name: "yes", Value: event.BoolValue(true)},
		{Name: "none", Value: event.Value{}},
		{Name: "blank", Value: str("")},
		{Name: "hollow", Value: obj()},
		{Name: "list", Value: arr(str("a"), num("2"), event.BoolValue(false), event.Value{}, obj(event.Property{Name: "k", Value: str("v")}), arr(num("1")))},
		{Name: "void", Value: arr()},
		{Name: "user.id", Value: str("direct")},
	}
	got := text(tracker.SortUnique(tracker.Flattener{Separator: ".", Joiner: "||"}.Append(nil, input)))
	want := `{"list":"a||2||false||{\"k\":\"v\"}||[1]","price":1.10,"user.geo.city":"Bern","user.id":"direct","yes":"true"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFlattenIsBoundedInDepth(t *testing.T) {
	deep := event.StringValue("leaf")
	for range 10_000 {
		deep = event.Value{Kind: event.Object, Fields: []event.Property{{Name: "n", Value: deep}}}
	}
	flat := tracker.Flattener{Separator: "_"}.Append(nil, []event.Property{{Name: "deep", Value: deep}})
	if len(flat) != 1 || strings.Count(flat[0].Name, "_") != 16 || !strings.Contains(flat[0].Value.Text, "leaf") {
		t.Errorf("%d properties, the first named %.60s", len(flat), flat[0].Name)
	}
}

func TestPacker(t *testing.T) {
	p := tracker.Packer{Head: "[", Tail: "]", MaxEvents: 2, MaxBytes: 7, Seal: func(events []int, body []byte) tracker.Request {
		return tracker.Request{Events: events, Body: body}
	}}
	for i, encoded := range []string{"1", "2", "3", "12345", "123456", "4", "55", "666"} {
		if fits := p.Add(i, []byte(encoded)); fits != (encoded != "123456") {
			t.Errorf("Add(%s) is %v", encoded, fits)
		}
	}
	var got []string
	for _, req := range p.Requests() {
		got = append(got, fmt.Sprint(req.Events, " ", string(req.Body)))
	}
	want := []string{"[0 1] [1,2]", "[2] [3]", "[3] [12345]", "[5 6] [4,55]", "[7] [666]"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJudgeStatus(t *testing.T) {
	several, single := tracker.Request{Events: []int{3, 5}}, tracker.Request{Events: []int{7}}
	for _, try := range []struct {
		status          int
		several, single tracker.Action
		alarm           bool
	}{
		{200, tracker.Deliver, tracker.Deliver, false}, {204, tracker.Deliver, tracker.Deliver, false}, {299, tracker.Deliver, tracker.Deliver, false},
		{301, tracker.Wait, tracker.Wait, true}, {307, tracker.Wait, tracker.Wait, true},
		{400, tracker.Halve, tracker.Reject, false}, {401, tracker.Wait, tracker.Wait, true}, {403, tracker.Wait, tracker.Wait, true},
		{404, tracker.Wait, tracker.Wait, true}, {405, tracker.Wait, tracker.Wait, true}, {407, tracker.Wait, tracker.Wait, true},
		{402, tracker.Wait, tracker.Wait, true}, {410, tracker.Wait, tracker.Wait, true}, {415, tracker.Wait, tracker.Wait, true}, {425, tracker.Wait, tracker.Wait, false},
		{408, tracker.Wait, tracker.Wait, false}, {413, tracker.Halve, tracker.Reject, false}, {422, tracker.Halve, tracker.Reject, false},
		{429, tracker.Wait, tracker.Wait, false}, {500, tracker.Wait, tracker.Wait, false}, {503, tracker.Wait, tracker.Wait, false},
		{0, tracker.Wait, tracker.Wait, false}, {100, tracker.Wait, tracker.Wait, false}, {999, tracker.Wait, tracker.Wait, false},
	} {
		resp := tracker.Response{Reach: tracker.Answered, Status: try.status, Header: http.Header{"Retry-After": {"120"}}}
		a, b := tracker.JudgeStatus(several, resp, false), tracker.JudgeStatus(single, resp, false)
		if len(a) != 2 || a[0] != a[1] || a[0].Action != try.several || b[0].Action != try.single || a[0].Alarm != try.alarm {
			t.Errorf("status %d: %+v and %+v", try.status, a, b)
		}
		if (a[0].Action == tracker.Wait) != (a[0].After == 2*time.Minute) {
			t.Errorf("status %d, Retry-After 120: %v after %v", try.status, a[0].Action, a[0].After)
		}
	}
	for reach, want := range map[tracker.Reach][2]tracker.Action{ // with and without dedup
		tracker.NotConnected: {tracker.Wait, tracker.Wait},
		tracker.NotWritten:   {tracker.Wait, tracker.Wait},
		tracker.Written:      {tracker.Wait, tracker.Uncertain},
	} {
		resp := tracker.Response{Reach: reach}
		if a, b := tracker.JudgeStatus(single, resp, true), tracker.JudgeStatus(single, resp, false); a[0].Action != want[0] || b[0].Action != want[1] {
			t.Errorf("reach %d: %+v and %+v", reach, a, b)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	received := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-1": 0, "1.5": 0, "soon": 0, "7200": time.Hour, "9223372036854775807": time.Hour, "99999999999999999999": 0,
		received.Add(time.Minute).Format(http.TimeFormat):       time.Minute,
		received.Add(-time.Minute).Format(http.TimeFormat):      0,
		received.Add(100 * time.Hour).Format(http.TimeFormat):   time.Hour,
		received.Add(90 * time.Second).Format(time.RFC850):      90 * time.Second,
		received.AddDate(5000, 0, 0).Format(http.TimeFormat):    time.Hour,
		"Fri, 31 Feb 2026 09:00:00 GMT":                         0,
		received.Add(time.Minute).Format(time.RFC3339) + " GMT": 0,
	} {
		resp := tracker.Response{Header: http.Header{"Retry-After": {value}}, Received: received}
		if got := tracker.RetryAfter(resp); got != want {
			t.Errorf("Retry-After %q is %v, want %v", value, got, want)
		}
	}
	date := tracker.Response{Header: http.Header{"Retry-After": {received.Format(http.TimeFormat)}}}
	if got := tracker.RetryAfter(date); got != 0 {
		t.Errorf("a date without knowing when it came is %v", got)
	}
}

func TestDefineNamesTheKindAndKeepsDefaults(t *testing.T) {
	type config struct{ A, B string }
	kind := tracker.Define("acme", "a vendor", config{A: "default"}, func(c config) (tracker.Tracker, tracker.Traits, error) {
		return nil, tracker.Traits{MaxBatch: len(c.A + c.B)}, map[bool]error{true: fmt.Errorf("b: bad")}[c.B == "bad"]
	})
	build := func(b string) (tracker.Traits, error) {
		_, traits, err := kind.Build(func(into any) error { into.(*config).B = b; return nil })
		return traits, err
	}
	if traits, err := build("x"); err != nil || traits.MaxBatch != len("defaultx") {
		t.Errorf("%+v, %v", traits, err)
	}
	if _, err := build("bad"); err == nil || err.Error() != "acme: b: bad" {
		t.Errorf("error %v", err)
	}
}
