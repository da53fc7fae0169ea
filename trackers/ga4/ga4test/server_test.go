package ga4test_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

const query = "?measurement_id=G-TEST123456&api_secret=not-a-real-secret"

func event(name, params string) string {
	return fmt.Sprintf(`{"name":%q,"params":{"engagement_time_msec":1%s}}`, name, params)
}

func body(head string, events ...string) string {
	return `{"client_id":"c.1"` + head + `,"events":[` + strings.Join(events, ",") + `]}`
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func send(t *testing.T, fake http.Handler, target, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, r)
	return w
}

func now() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// faults sends a row's request and counts what is wrong with it.
func (r rule) faults(t *testing.T, fake *ga4test.Server) int {
	t.Helper()
	q := httptest.NewRequest(cmp.Or(r.method, http.MethodPost), cmp.Or(r.path, "/mp/collect")+cmp.Or(r.query, query), strings.NewReader(r.body))
	q.Header.Set("Content-Type", cmp.Or(r.contentType, "application/json"))
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, q)
	if r.path == "" {
		if w.Code != http.StatusNoContent {
			t.Errorf("status %d, want 204 as always", w.Code)
		}
		return fake.Violations.Total()
	}
	var answer struct {
		Messages []ga4test.Message `json:"validationMessages"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return len(answer.Messages)
}

func TestEachRuleBites(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules() {
		if r.place == "" || seen[r.name] {
			t.Errorf("%s: without a place, or twice", r.name)
		}
		seen[r.name] = true
		t.Run(r.name+" ("+r.place+")", func(t *testing.T) {
			fake := ga4test.New(ga4test.Options{Now: now})
			if n := r.faults(t, fake); n != 1 {
				t.Errorf("%d faults, want 1: %v", n, fake.Violations.First())
			}
			if fake.Taken.Total() != 0 {
				t.Error("the event was taken")
			}
		})
	}
}

func TestASoundRequestIsTaken(t *testing.T) {
	fake := ga4test.New(ga4test.Options{Now: now})
	send(t, fake, "/mp/collect"+query, "application/json", body(`,"user_id":"u"`, event("a", `,"p":"x"`), event("b", "")))
	entries := fake.Taken.Entries()
	if fake.Violations.Total() != 0 || len(entries) != 2 {
		t.Fatalf("violations %v, entries %v", fake.Violations.First(), entries)
	}
	if e := entries[0]; e.Name != "a" || e.Device != "c.1" || e.User != "u" || string(e.Data) != event("a", `,"p":"x"`) {
		t.Errorf("entry %+v", e)
	}
}

func TestTheValidationEndpointTakesNothing(t *testing.T) {
	fake := ga4test.New(ga4test.Options{})
	for sent, want := range map[string]int{body("", event("a", "")): 0, body("", event("campaign@details", "")): 1} {
		w := send(t, fake, "/debug/mp/collect", "application/json", sent)
		answer, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Messages []ga4test.Message `json:"validationMessages"`
		}
		if err := json.Unmarshal(answer, &got); err != nil || len(got.Messages) != want || w.Code != http.StatusOK {
			t.Errorf("status %d, %s: want %d messages", w.Code, answer, want)
		}
		if want == 1 && got.Messages[0].ValidationCode != "NAME_INVALID" {
			t.Errorf("code %s", got.Messages[0].ValidationCode)
		}
	}
	if fake.Taken.Total() != 0 || fake.Violations.Total() != 0 {
		t.Error("the validation endpoint took events or counted violations")
	}
}
