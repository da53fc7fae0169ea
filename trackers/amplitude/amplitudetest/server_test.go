package amplitudetest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

func send(t *testing.T, fake http.Handler, method, path, contentType, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
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
	return send(t, fake, http.MethodPost, "/2/httpapi", "application/json", body)
}

func upload(events ...string) string {
	return `{"api_key":"k","events":[` + strings.Join(events, ",") + `],"options":{"min_id_length":1}}`
}

// long is a character over the limit of strings.
func long() string { return strings.Repeat("x", 1025) }

const sound = `{"device_id":"device","event_type":"a","time":1795166102417,"session_id":-1}`

func event(members string) string { return `{"device_id":"device","event_type":"a",` + members + `}` }

func nested(depth int) string {
	return strings.Repeat(`{"n":`, depth) + "1" + strings.Repeat("}", depth)
}

func TestEachFieldRuleBites(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range fieldRules() {
		if r.place == "" || seen[r.name] {
			t.Errorf("%s: without a place, or twice", r.name)
		}
		seen[r.name] = true
		t.Run(r.name+" ("+r.place+")", func(t *testing.T) {
			fake := amplitudetest.New(amplitudetest.Options{})
			code, answer := send(t, fake, http.MethodPost, cmp.Or(r.path, "/2/httpapi"), "application/json", upload(sound, r.event))
			list := cmp.Or(r.list, "events_with_invalid_fields")
			fields, _ := answer[list].(map[string]any)
			if code != http.StatusBadRequest || !reflect.DeepEqual(fields[r.field], []any{1.0}) {
				t.Errorf("status %d, answer %v: want 400 with index 1 in %s.%s", code, answer, list, r.field)
			}
			if fake.Taken.Total() != 0 || fake.Violations.Total() != 1 {
				t.Errorf("taken %d, violations %v", fake.Taken.Total(), fake.Violations.First())
			}
		})
	}
}

func TestEachRequestRuleBites(t *testing.T) {
	for _, r := range requestRules() {
		if r.place == "" {
			t.Errorf("%s: without a place", r.name)
		}
		t.Run(r.name+" ("+r.place+")", func(t *testing.T) {
			fake := amplitudetest.New(amplitudetest.Options{APIKey: "k"})
			code, answer := send(t, fake, cmp.Or(r.method, http.MethodPost), cmp.Or(r.path, "/2/httpapi"), cmp.Or(r.contentType, "application/json"), r.body)
			if code != r.code || answer["error"] != r.text || fake.Taken.Total() != 0 {
				t.Errorf("status %d, answer %v, taken %d: want %d %s", code, answer, fake.Taken.Total(), r.code, r.text)
			}
		})
	}
}

// What the rules leave free is taken.
func TestSoundEventsAreTaken(t *testing.T) {
	fake := amplitudetest.New(amplitudetest.Options{})
	for path, list := range map[string][]string{
		"/2/httpapi": {
			sound, event(`"user_agent":"curl/8.5.0","ip":"203.0.113.0","language":"en-GB","user_properties":{"plan":"pro"},"$skip_user_properties_sync":true`),
			`{"user_id":"user-1","event_type":"$identify","user_properties":{"$set":{"plan":"pro"},"$unset":{"old":"-"},"$clearAll":"-"}}`,
			`{"user_id":"user-1","event_type":"$groupidentify","groups":{"org":"acme"},"group_properties":{"$set":{"seats":12}}}`,
		},
		"/batch": {sound, event(`"revenue":9.9,"productId":"p","currency":"EUR"`), event(`"price":1,"quantity":2`)},
	} {
		if code, answer := send(t, fake, http.MethodPost, path, "application/json", upload(list...)); code != http.StatusOK {
			t.Errorf("%s: status %d, %v", path, code, answer)
		}
	}
	if fake.Taken.Total() != 7 || fake.Violations.Total() != 0 {
		t.Errorf("taken %d, %v", fake.Taken.Total(), fake.Violations.First())
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

// The limits over time: 30 events a second for one user (http-v2: upload limit),
// 1,000 (batch-event-upload: upload limit), averaged over 30 seconds; a day's quota
// (batch-event-upload: event upload limits).
func TestTooMuchOverTime(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	options := amplitudetest.Options{Now: func() time.Time { return now }, DailyQuota: 31_000}
	several := func(n int) string { return upload(strings.Split(strings.Repeat(sound+"|", n), "|")[:n]...) }
	for path, try := range map[string]struct {
		requests, events int
		list             string
	}{
		"/2/httpapi": {1, 900, "throttled_devices"},
		"/batch":     {15, 2000, "throttled_devices"},
	} {
		fake := amplitudetest.New(options)
		for range try.requests {
			if code, answer := send(t, fake, http.MethodPost, path, "application/json", several(try.events)); code != http.StatusOK {
				t.Fatalf("%s: status %d, %v", path, code, answer)
			}
		}
		if code, answer := send(t, fake, http.MethodPost, path, "application/json", several(1)); code != http.StatusTooManyRequests || answer[try.list] == nil {
			t.Errorf("%s, one more in 30 seconds: status %d, %v", path, code, answer)
		}
		now = now.Add(30 * time.Second)
		if code, _ := send(t, fake, http.MethodPost, path, "application/json", several(1)); code != http.StatusOK {
			t.Errorf("%s, 30 seconds later: status %d", path, code)
		}
		code, answer := send(t, fake, http.MethodPost, path, "application/json", several(1000))
		if quota := answer["exceeded_daily_quota_devices"] != nil; quota != (path == "/batch") {
			t.Errorf("%s, over the day's quota: status %d, %v", path, code, answer)
		}
		if now = now.Add(24 * time.Hour); path == "/batch" {
			if code, _ := send(t, fake, http.MethodPost, path, "application/json", several(1)); code != http.StatusOK {
				t.Errorf("a day later: status %d", code)
			}
		}
	}
}

// What is beyond 1,800 updates of one user's properties in an hour is dropped
// silently (http-v2: event and user properties, upload limit).
func TestTooManyUpdatesOfOneUser(t *testing.T) {
	fake := amplitudetest.New(amplitudetest.Options{Now: func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }})
	one := event(`"user_properties":{"plan":"pro"}`)
	for n, want := range []int{0, 0, 1} {
		events := map[int]int{0: 1000, 1: 800, 2: 1}[n]
		code, answer := send(t, fake, http.MethodPost, "/batch", "application/json", upload(strings.Split(strings.Repeat(one+"|", events), "|")[:events]...))
		if code != http.StatusOK || fake.Violations.Total() != want {
			t.Errorf("request %d: status %d, %v; violations %v", n, code, answer, fake.Violations.First())
		}
	}
}

// The Starter plan (http-v2: upload limit): 10 events a request, 100 requests and
// 1,000 events a second.
func TestTheStarterPlan(t *testing.T) {
	for name, try := range map[string]struct{ requests, events, broken int }{
		"within": {100, 10, 0}, "a large request": {1, 11, 1}, "many requests": {101, 1, 1}, "many events": {91, 11, 92},
	} {
		fake := amplitudetest.New(amplitudetest.Options{Starter: true, Now: func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }})
		for i := range try.requests {
			one := strings.Replace(sound, `"device"`, fmt.Sprintf(`"device-%d"`, i), 1)
			post(t, fake, upload(strings.Split(strings.Repeat(one+"|", try.events), "|")[:try.events]...))
		}
		if n := fake.Violations.Total(); n != try.broken {
			t.Errorf("%s: %d violations, want %d: %v", name, n, try.broken, fake.Violations.First())
		}
	}
}
