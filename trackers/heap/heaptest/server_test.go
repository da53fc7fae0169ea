package heaptest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

func send(fake http.Handler, method, path, contentType, body string) int {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, r)
	return w.Code
}

func post(fake http.Handler, body string) int {
	return send(fake, http.MethodPost, "/api/track", "application/json", body)
}

const who = `"identity":"u"`

func bulk(events ...string) string {
	return `{"app_id":"1","events":[` + strings.Join(events, ",") + `]}`
}

func TestEachRuleBites(t *testing.T) {
	long := strings.Repeat("x", 1024)
	for name, broken := range map[string]string{
		"not JSON":               `{"app_id":`,
		"no app_id":              `{"events":[{"event":"a",` + who + `}]}`,
		"app_id a number":        `{"app_id":1,"events":[{"event":"a",` + who + `}]}`,
		"unknown top member":     `{"app_id":"1","api_key":"x","events":[{"event":"a",` + who + `}]}`,
		"no events":              bulk(),
		"1001 events":            bulk(strings.Split(strings.Repeat(`{"event":"a",`+who+`}|`, 1001), "|")[:1001]...),
		"no event name":          bulk(`{` + who + `}`),
		"event name too long":    bulk(`{"event":"` + long + `x",` + who + `}`),
		"nobody":                 bulk(`{"event":"a"}`),
		"identity and user_id":   bulk(`{"event":"a","identity":"u","user_id":"1"}`),
		"identity empty":         bulk(`{"event":"a","identity":""}`),
		"identity too long":      bulk(`{"event":"a","identity":"` + strings.Repeat("u", 256) + `"}`),
		"user_id no number":      bulk(`{"event":"a","user_id":"9f1c2f64"}`),
		"user_id above 2^53-1":   bulk(`{"event":"a","user_id":"9007199254740992"}`),
		"timestamp no ISO 8601":  bulk(`{"event":"a","timestamp":"yesterday",` + who + `}`),
		"timestamp a number":     bulk(`{"event":"a","timestamp":1795166102417,` + who + `}`),
		"key not a string":       bulk(`{"event":"a","idempotency_key":1,` + who + `}`),
		"properties an array":    bulk(`{"event":"a","properties":[],` + who + `}`),
		"property a boolean":     bulk(`{"event":"a","properties":{"p":true},` + who + `}`),
		"property null":          bulk(`{"event":"a","properties":{"p":null},` + who + `}`),
		"property an object":     bulk(`{"event":"a","properties":{"p":{}},` + who + `}`),
		"property an array":      bulk(`{"event":"a","properties":{"p":[]},` + who + `}`),
		"property key too long":  bulk(`{"event":"a","properties":{"` + long + `":1},` + who + `}`),
		"property too long":      bulk(`{"event":"a","properties":{"p":"` + long + `"},` + who + `}`),
		"unknown member":         bulk(`{"event":"a","ip":"203.0.113.1",` + who + `}`),
		"a bad event among good": bulk(`{"event":"a",`+who+`}`, `{"event":"",`+who+`}`),
	} {
		if place(name) == "" {
			t.Errorf("%s: say where the vendor documents it", name)
		}
		t.Run(name+" ("+place(name)+")", func(t *testing.T) {
			fake := heaptest.New(heaptest.Options{})
			if code := post(fake, broken); code != http.StatusBadRequest {
				t.Errorf("status %d, want 400", code)
			}
			if fake.Violations.Total() == 0 || fake.Taken.Total() != 0 {
				t.Errorf("violations %v, taken %d", fake.Violations.First(), fake.Taken.Total())
			}
		})
	}
}

func TestTheExchangeIsHeldToo(t *testing.T) {
	fake := heaptest.New(heaptest.Options{})
	sound := bulk(`{"event":"a",` + who + `}`)
	if code := send(fake, http.MethodPost, "/api/track", "text/plain", sound); code != http.StatusBadRequest {
		t.Errorf("text/plain: status %d", code)
	}
	if code := send(fake, http.MethodPost, "/api/integrations/track", "application/json", sound); code != http.StatusNotFound {
		t.Errorf("another path: status %d", code)
	}
	if code := send(fake, http.MethodGet, "/api/track", "application/json", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", code)
	}
}

func TestRepeatsAreDropped(t *testing.T) {
	fake := heaptest.New(heaptest.Options{})
	single := `{"app_id":"1","event":"a","idempotency_key":"k1",` + who + `}`
	for _, body := range []string{single, single, bulk(`{"event":"a","idempotency_key":"k1",`+who+`}`, `{"event":"b","idempotency_key":"k2",`+who+`}`)} {
		if code := post(fake, body); code != http.StatusOK {
			t.Fatalf("status %d: %v", code, fake.Violations.First())
		}
	}
	if entries := fake.Taken.Entries(); len(entries) != 2 || entries[1].Key != "k2" || entries[1].User != "u" || fake.Seen.Repeats() != 2 {
		t.Errorf("entries %v, %d repeats", entries, fake.Seen.Repeats())
	}
}

func TestRates(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	fake := heaptest.New(heaptest.Options{Now: func() time.Time { return now }})
	call := func(user string) int {
		events := strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"event":"a","identity":%q},`, user), 1000), ",")
		return post(fake, bulk(events))
	}
	for i := range 15 {
		if code := call(fmt.Sprint("user-", i)); code != http.StatusOK {
			t.Fatalf("call %d: status %d", i, code)
		}
	}
	if code := call("user-15"); code != http.StatusTooManyRequests {
		t.Errorf("16,000 events in a minute: status %d, want 429", code)
	}
	now = now.Add(time.Minute)
	if code := call("user-0"); code != http.StatusOK {
		t.Errorf("a minute later: status %d, want 200", code)
	}
	if code := post(fake, bulk(`{"event":"a","identity":"user-0"}`)); code != http.StatusTooManyRequests {
		t.Errorf("1,001 events of one identity in a minute: status %d, want 429", code)
	}
}

// place is where Heap documents a rule: a page of its reference
// (developers.heap.io/reference), or its Node SDK's validator.
func place(rule string) string {
	for _, p := range []struct {
		begins []string
		place  string
	}{
		{[]string{"user_id", "identity", "nobody"}, "track-1: identity and user_id"},
		{[]string{"property", "properties"}, "track-1: properties; heap-api validations.js"},
		{[]string{"no events", "1001 events", "unknown top member", "a bad event among good"}, "bulk-track"},
		{[]string{"not JSON", "no app_id", "app_id", "no event name", "event name", "timestamp", "key not a string", "unknown member"}, "track-1: body"},
	} {
		if slices.ContainsFunc(p.begins, func(start string) bool { return strings.HasPrefix(rule, start) }) {
			return p.place
		}
	}
	return ""
}
