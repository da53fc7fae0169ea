package heaptest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

// send performs a rule's request; what it leaves out is sound.
func (r rule) send(fake http.Handler) int {
	q := httptest.NewRequest(cmp.Or(r.method, http.MethodPost), cmp.Or(r.path, "/api/track"), strings.NewReader(r.body))
	q.Header.Set("Content-Type", cmp.Or(r.contentType, "application/json"))
	q.Header.Set("Accept", cmp.Or(r.accept, "application/json"))
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, q)
	return w.Code
}

func post(fake http.Handler, body string) int { return rule{body: body}.send(fake) }

const who = `"identity":"u"`

func bulk(events ...string) string {
	return `{"app_id":"1","events":[` + strings.Join(events, ",") + `]}`
}

func TestEachRuleBites(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules() {
		if r.place == "" || seen[r.name] {
			t.Errorf("%s: without a place, or twice", r.name)
		}
		seen[r.name] = true
		t.Run(r.name+" ("+r.place+")", func(t *testing.T) {
			fake := heaptest.New(heaptest.Options{})
			if code := r.send(fake); code != cmp.Or(r.code, http.StatusBadRequest) {
				t.Errorf("status %d", code)
			}
			if fake.Violations.Total() == 0 && r.code == 0 || fake.Taken.Total()+fake.Users.Total() != 0 {
				t.Errorf("violations %v, taken %d, told %d", fake.Violations.First(), fake.Taken.Total(), fake.Users.Total())
			}
		})
	}
}

func TestSoundCallsAreTaken(t *testing.T) {
	fake := heaptest.New(heaptest.Options{})
	for _, r := range []rule{
		{body: bulk(`{"event":"a",` + who + `,"timestamp":"2026-11-20T09:15:02.417+01:00","session_id":"s","properties":{"p":1,"q":"x"}}`)},
		{body: `{"app_id":"1","event":"a","user_id":"9007199254740991"}`},
		{path: told, body: `{"app_id":"1","identity":"u","properties":{"email":"a"}}`},
		{path: told, body: `{"app_id":"1","users":[{"identity":"u","properties":{"plan":"pro"}}]}`},
		{path: bound, body: `{"app_id":"1","identity":"u","user_id":"1"}`},
	} {
		if code := r.send(fake); code != http.StatusOK {
			t.Errorf("%s%s: status %d, %v", r.path, r.body, code, fake.Violations.First())
		}
	}
	if fake.Taken.Total() != 2 || fake.Users.Total() != 3 || fake.Violations.Total() != 0 {
		t.Errorf("taken %d, told %d, %v", fake.Taken.Total(), fake.Users.Total(), fake.Violations.First())
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

// 30 calls in 30 seconds about one identity, where a call is about one
// (track-1: rate limits; add-user-properties: rate limits).
func TestRatesOfCalls(t *testing.T) {
	for name, r := range map[string]rule{
		"track":           {body: `{"app_id":"1","event":"a",` + who + `}`},
		"user properties": {path: told, body: `{"app_id":"1","identity":"u","properties":{"plan":"pro"}}`},
		"of several":      {path: told, body: `{"app_id":"1","users":[{"identity":"u","properties":{"plan":"pro"}},{"identity":"v","properties":{"plan":"pro"}}]}`},
	} {
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		fake := heaptest.New(heaptest.Options{Now: func() time.Time { return now }})
		for i := range 31 {
			want := http.StatusOK
			if i == 30 {
				want = http.StatusTooManyRequests
			}
			if code := r.send(fake); code != want {
				t.Errorf("%s, call %d: status %d, want %d", name, i+1, code, want)
			}
		}
		other := r
		other.body = strings.NewReplacer(`"u"`, `"x"`, `"v"`, `"y"`).Replace(r.body)
		if code := other.send(fake); code != http.StatusOK {
			t.Errorf("%s, of another identity: status %d", name, code)
		}
		if now = now.Add(30 * time.Second); r.send(fake) != http.StatusOK {
			t.Errorf("%s: refused 30 seconds later", name)
		}
	}
}

// A visitor has one user, and a user ten visitors a month; more Heap drops without
// a word (identify-1: limits).
func TestWhatIdentifyDropsSilently(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	fake := heaptest.New(heaptest.Options{Now: func() time.Time { return now }})
	bind := func(user string, visitor, violations int) {
		t.Helper()
		r := rule{path: bound, body: fmt.Sprintf(`{"app_id":"1","identity":%q,"user_id":"%d"}`, user, visitor)}
		if code := r.send(fake); code != http.StatusOK && code != http.StatusTooManyRequests {
			t.Fatalf("status %d, %v", code, fake.Violations.First())
		}
		if n := fake.Violations.Total(); n != violations {
			t.Errorf("%s to %d: %d violations, want %d: %v", user, visitor, n, violations, fake.Violations.First())
		}
	}
	bind("ann", 1, 0)
	bind("ann", 1, 0)
	bind("bob", 1, 1)
	for visitor := 2; visitor <= 10; visitor++ {
		bind("ann", visitor, 1)
	}
	bind("ann", 11, 2)
	now = now.AddDate(0, 1, 0)
	bind("ann", 11, 2)
}
