package amplitudetest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

func send(t *testing.T, fake http.Handler, path, contentType, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	return w.Code, answer
}

func post(t *testing.T, fake http.Handler, body string) (int, map[string]any) {
	t.Helper()
	return send(t, fake, "/2/httpapi", "application/json", body)
}

func upload(events ...string) string {
	return `{"api_key":"k","events":[` + strings.Join(events, ",") + `],"options":{"min_id_length":1}}`
}

const sound = `{"device_id":"device","event_type":"a","time":1795166102417,"session_id":-1}`

func event(members string) string { return `{"device_id":"device","event_type":"a",` + members + `}` }

func nested(depth int) string {
	return strings.Repeat(`{"n":`, depth) + "1" + strings.Repeat("}", depth)
}

func TestEachFieldRuleBites(t *testing.T) {
	long := strings.Repeat("x", 1025)
	var keys strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&keys, `%q:1,`, fmt.Sprint("k", i))
	}
	for name, try := range map[string]struct{ event, list, field string }{
		"no event_type":           {`{"device_id":"device"}`, "events_with_missing_fields", "event_type"},
		"no id":                   {`{"event_type":"a"}`, "events_with_missing_fields", "device_id"},
		"event_type empty":        {`{"device_id":"device","event_type":""}`, "events_with_invalid_fields", "event_type"},
		"event_type too long":     {`{"device_id":"device","event_type":"` + long + `"}`, "events_with_invalid_fields", "event_type"},
		"event_type reserved":     {`{"device_id":"device","event_type":"[Amplitude] Revenue"}`, "events_with_invalid_fields", "event_type"},
		"identify":                {`{"device_id":"device","event_type":"$identify"}`, "events_with_invalid_fields", "event_type"},
		"user forbidden":          {event(`"user_id":"Anonymous"`), "events_with_invalid_fields", "user_id"},
		"user zero":               {event(`"user_id":"0"`), "events_with_invalid_fields", "user_id"},
		"device forbidden":        {`{"user_id":"user-1","event_type":"a","device_id":"00000000-0000-0000-0000-000000000000"}`, "events_with_invalid_fields", "device_id"},
		"user a number":           {event(`"user_id":42`), "events_with_invalid_fields", "user_id"},
		"time ISO":                {event(`"time":"2026-11-20T09:15:02Z"`), "events_with_invalid_fields", "time"},
		"time in seconds":         {event(`"time":179516610`), "events_with_invalid_fields", "time"},
		"time a float":            {event(`"time":1795166102417.5`), "events_with_invalid_fields", "time"},
		"session a string":        {event(`"session_id":"1795165800000"`), "events_with_invalid_fields", "session_id"},
		"session in seconds":      {event(`"session_id":17951658`), "events_with_invalid_fields", "session_id"},
		"property too long":       {event(`"event_properties":{"p":["` + long + `"]}`), "events_with_invalid_fields", "event_properties"},
		"properties too deep":     {event(`"event_properties":` + nested(41)), "events_with_invalid_fields", "event_properties"},
		"too many keys":           {event(`"event_properties":{` + keys.String() + `"last":1}`), "events_with_invalid_fields", "event_properties"},
		"properties an array":     {event(`"event_properties":[]`), "events_with_invalid_fields", "event_properties"},
		"user property too long":  {event(`"user_properties":{"p":"` + long + `"}`), "events_with_invalid_fields", "user_properties"},
		"revenue a string":        {event(`"revenue":"19.90"`), "events_with_invalid_fields", "revenue"},
		"unknown field":           {event(`"screen":"1440x900"`), "events_with_invalid_fields", "screen"},
		"insert_id not a string":  {event(`"insert_id":1`), "events_with_invalid_fields", "insert_id"},
		"language an empty value": {event(`"language":""`), "events_with_invalid_fields", "language"},
	} {
		if place(name) == "" {
			t.Errorf("%s: say where the vendor documents it", name)
		}
		t.Run(name+" ("+place(name)+")", func(t *testing.T) {
			fake := amplitudetest.New(amplitudetest.Options{})
			code, answer := post(t, fake, upload(sound, try.event))
			fields, _ := answer[try.list].(map[string]any)
			if code != http.StatusBadRequest || !reflect.DeepEqual(fields[try.field], []any{1.0}) {
				t.Errorf("status %d, answer %v: want 400 with index 1 in %s.%s", code, answer, try.list, try.field)
			}
			if fake.Taken.Total() != 0 || fake.Violations.Total() != 1 {
				t.Errorf("taken %d, violations %v", fake.Taken.Total(), fake.Violations.First())
			}
		})
	}
}

func TestEachRequestRuleBites(t *testing.T) {
	events := func(n int) string { return upload(strings.Split(strings.Repeat(sound+"|", n), "|")[:n]...) }
	for name, try := range map[string]struct {
		path, contentType, body string
		code                    int
		text                    string
	}{
		"path":             {"/3/httpapi", "application/json", upload(sound), 400, "Invalid request path"},
		"empty":            {"/2/httpapi", "application/json", "", 400, "Missing request body"},
		"not JSON":         {"/2/httpapi", "application/json", `{"api_key":`, 400, "Invalid JSON request body"},
		"content type":     {"/2/httpapi", "text/plain", upload(sound), 400, "Invalid JSON request body"},
		"no key":           {"/2/httpapi", "application/json", `{"events":[` + sound + `]}`, 400, "Request missing required field"},
		"wrong key":        {"/2/httpapi", "application/json", strings.Replace(upload(sound), `"k"`, `"other"`, 1), 400, "Invalid API key"},
		"no events":        {"/2/httpapi", "application/json", upload(), 400, "Request missing required field"},
		"2000 events":      {"/2/httpapi", "application/json", events(2000), 413, "Payload too large"},
		"2001 in a batch":  {"/batch", "application/json", events(2001), 413, "Payload too large"},
		"a megabyte":       {"/2/httpapi", "application/json", upload(event(`"x":"` + strings.Repeat("x", 1_000_000) + `"`)), 413, "Payload too large"},
		"short id":         {"/2/httpapi", "application/json", `{"api_key":"k","events":[{"user_id":"u","event_type":"a"}]}`, 400, "Invalid field values on some events"},
		"20 MB in a batch": {"/batch", "application/json", upload(event(`"x":"` + strings.Repeat("x", 20_000_000) + `"`)), 413, "Payload too large"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := amplitudetest.New(amplitudetest.Options{APIKey: "k"})
			code, answer := send(t, fake, try.path, try.contentType, try.body)
			if code != try.code || answer["error"] != try.text || fake.Taken.Total() != 0 {
				t.Errorf("status %d, answer %v, taken %d: want %d %s", code, answer, fake.Taken.Total(), try.code, try.text)
			}
		})
	}
}

func TestRepeatsAreDroppedByDeviceAndInsertID(t *testing.T) {
	fake := amplitudetest.New(amplitudetest.Options{})
	one := event(`"insert_id":"i1"`)
	for range 2 {
		if code, answer := post(t, fake, upload(one, strings.Replace(one, `"device"`, `"other-device"`, 1))); code != 200 || answer["events_ingested"] != 2.0 {
			t.Fatalf("status %d, %v", code, answer)
		}
	}
	if fake.Taken.Total() != 2 || fake.Seen.Repeats() != 2 {
		t.Errorf("taken %d, repeats %d", fake.Taken.Total(), fake.Seen.Repeats())
	}
}

func TestFirstOnlyNamesOneEvent(t *testing.T) {
	fake := amplitudetest.New(amplitudetest.Options{FirstOnly: true})
	_, answer := post(t, fake, upload(sound, event(`"time":"x"`), event(`"time":"x"`)))
	if got := answer["events_with_invalid_fields"].(map[string]any)["time"]; !reflect.DeepEqual(got, []any{1.0}) {
		t.Errorf("indices %v, want the first only", got)
	}
}

func TestLimits(t *testing.T) {
	for name, try := range map[string]struct {
		limit amplitudetest.Limit
		code  int
		list  string
	}{
		"throttled": {amplitudetest.Throttled, 429, "throttled_devices"},
		"quota":     {amplitudetest.OverQuota, 429, "exceeded_daily_quota_devices"},
		"silenced":  {amplitudetest.Silenced, 400, "silenced_devices"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := amplitudetest.New(amplitudetest.Options{})
			fake.Limit("device", try.limit)
			code, answer := post(t, fake, upload(strings.Replace(sound, `"device"`, `"other"`, 1), sound))
			if code != try.code || answer[try.list] == nil || fake.Taken.Total() != 0 {
				t.Errorf("status %d, %v: want %d with %s", code, answer, try.code, try.list)
			}
			fake.Limit("device", amplitudetest.NoLimit)
			if code, _ := post(t, fake, upload(sound)); code != 200 {
				t.Errorf("without the limit: status %d", code)
			}
		})
	}
}

func TestTooFast(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	fake := amplitudetest.New(amplitudetest.Options{Now: func() time.Time { return now }})
	nineHundred := upload(strings.Split(strings.Repeat(sound+"|", 900), "|")[:900]...)
	if code, answer := post(t, fake, nineHundred); code != 200 {
		t.Fatalf("900 events in 30 seconds: status %d, %v", code, answer)
	}
	if code, answer := post(t, fake, upload(sound)); code != 429 || answer["throttled_devices"] == nil {
		t.Errorf("901 events in 30 seconds: status %d, %v", code, answer)
	}
	now = now.Add(30 * time.Second)
	if code, _ := post(t, fake, upload(sound)); code != 200 {
		t.Errorf("30 seconds later: status %d", code)
	}
}

// place is where Amplitude documents a rule: a section of its HTTP V2 API page
// (amplitude-docs, http-v2), or the validation of its SDKs.
func place(rule string) string {
	for _, p := range []struct {
		begins []string
		place  string
	}{
		{[]string{"no event_type", "no id", "event_type empty", "event_type too long"}, "http-v2: keys for the event argument"},
		{[]string{"event_type reserved", "identify"}, "http-v2: event_type; the SDKs' special events"},
		{[]string{"user forbidden", "user zero", "device forbidden"}, "http-v2: device IDs and user IDs minimum length, invalid values"},
		{[]string{"user a number", "time", "session", "revenue", "unknown field", "insert_id", "language"}, "http-v2: keys for the event argument"},
		{[]string{"property too long", "user property too long", "properties too deep"}, "http-v2: string character limit, event and user property depth"},
		{[]string{"too many keys", "properties an array"}, "analytics-types: MAX_PROPERTY_KEYS"},
	} {
		if slices.ContainsFunc(p.begins, func(start string) bool { return strings.HasPrefix(rule, start) }) {
			return p.place
		}
	}
	return ""
}
