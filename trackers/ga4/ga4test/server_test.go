package ga4test_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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

// breaking is a request for each rule that breaks it and no other.
func breaking() map[string]string {
	long := strings.Repeat("x", 101)
	sound := `"transaction_id":"T","value":1,"currency":"EUR","items":[{"item_id":"a"}]`
	purchase := func(from, to string) string {
		return body("", event("purchase", ","+strings.Replace(sound, from, to, 1)))
	}
	return map[string]string{
		"not JSON":                     `{"client_id":`,
		"two values":                   body("", event("a", "")) + "{}",
		"unknown top-level key":        body(`,"validationBehavior":"RELAXED"`, event("a", "")),
		"client_id missing":            strings.Replace(body("", event("a", "")), `"client_id":"c.1",`, "", 1),
		"client_id empty":              strings.Replace(body("", event("a", "")), "c.1", "", 1),
		"user_id empty":                body(`,"user_id":""`, event("a", "")),
		"user_id too long":             body(`,"user_id":"`+strings.Repeat("u", 257)+`"`, event("a", "")),
		"user_id a number":             body(`,"user_id":7`, event("a", "")),
		"no events":                    body(""),
		"26 events":                    body("", strings.Split(strings.Repeat(event("a", "")+"|", 26), "|")[:26]...),
		"body too large":               body(`,"user_agent":"`+strings.Repeat("x", 99_000)+`"`, event("a", many(24, `,"p%d":"`+strings.Repeat("\\u0041", 100)+`"`)), event("b", many(24, `,"p%d":"`+strings.Repeat("\\u0041", 100)+`"`)), event("c", many(24, `,"p%d":"`+strings.Repeat("\\u0041", 100)+`"`))),
		"event without a name":         body("", `{"params":{"engagement_time_msec":1}}`),
		"event name too long":          body("", event(strings.Repeat("n", 41), "")),
		"event name illegal":           body("", event("campaign@details", "")),
		"event name begins with digit": body("", event("1st", "")),
		"event name reserved":          body("", event("session_start", "")),
		"event name prefix":            body("", event("ga_x", "")),
		"unknown key in an event":      body("", `{"name":"a","param":{}}`),
		"26 params":                    body("", event("a", many(25, `,"p%d":1`))),
		"param name too long":          body("", event("a", `,"`+strings.Repeat("n", 41)+`":1`)),
		"param name illegal":           body("", event("a", `,"a b":1`)),
		"param name prefix":            body("", event("a", `,"google_x":1`)),
		"param name reserved":          body("", event("a", `,"firebase_conversion":1`)),
		"param a boolean":              body("", event("a", `,"p":true`)),
		"param null":                   body("", event("a", `,"p":null`)),
		"param an array":               body("", event("a", `,"p":[1]`)),
		"param an object":              body("", event("a", `,"p":{"a":1}`)),
		"param empty":                  body("", event("a", `,"p":""`)),
		"param too long":               body("", event("a", `,"p":"`+long+`"`)),
		"page_title too long":          body("", event("a", `,"page_title":"`+strings.Repeat("t", 301)+`"`)),
		"page_referrer too long":       body("", event("a", `,"page_referrer":"`+strings.Repeat("t", 421)+`"`)),
		"page_location too long":       body("", event("a", `,"page_location":"`+strings.Repeat("t", 1001)+`"`)),
		"no engagement time":           body("", `{"name":"a","params":{}}`),
		"items outside commerce":       body("", event("a", `,"items":[{"item_id":"a"}]`)),
		"timestamp a float":            body("", `{"name":"a","timestamp_micros":1.5}`),
		"timestamp in milliseconds":    body("", `{"name":"a","timestamp_micros":1795166102417}`),
		"timestamp too old":            body("", `{"name":"a","timestamp_micros":1794800000000000}`),
		"consent value":                body(`,"consent":{"ad_user_data":"granted"}`, event("a", "")),
		"consent key":                  body(`,"consent":{"analytics":"GRANTED"}`, event("a", "")),
		"device key":                   body(`,"device":{"os":"x"}`, event("a", "")),
		"timestamp ahead":              body("", `{"name":"a","params":{"engagement_time_msec":1},"timestamp_micros":1795178700000000}`),
		"user_location key":            body(`,"user_location":{"country":"GB"}`, event("a", "")),
		"user_location no country":     body(`,"user_location":{"country_id":"Britain"}`, event("a", "")),
		"user_location no region":      body(`,"user_location":{"region_id":"London"}`, event("a", "")),
		"ip_override no address":       body(`,"ip_override":"203.0.113"`, event("a", "")),
		"user property without value":  body(`,"user_properties":{"plan":{}}`, event("a", "")),
		"user property name too long":  body(`,"user_properties":{"`+strings.Repeat("n", 25)+`":{"value":1}}`, event("a", "")),
		"user property value too long": body(`,"user_properties":{"n":{"value":"`+strings.Repeat("v", 37)+`"}}`, event("a", "")),
		"user property reserved":       body(`,"user_properties":{"user_id":{"value":1}}`, event("a", "")),
		"26 user properties":           body(`,"user_properties":{"n":{"value":1}`+many(25, `,"n%d":{"value":1}`)+`}`, event("a", "")),
		"purchase without transaction": purchase(`"transaction_id":"T",`, ""),
		"purchase without money":       purchase(`"value":1,"currency":"EUR",`, ""),
		"purchase without items":       purchase(`,"items":[{"item_id":"a"}]`, ""),
		"value without currency":       body("", event("add_to_cart", `,"value":1`)),
		"currency in small letters":    purchase("EUR", "eur"),
		"value a string":               purchase(`"value":1`, `"value":"1"`),
		"item without an id":           purchase(`{"item_id":"a"}`, `{"price":1}`),
		"item price a string":          purchase(`{"item_id":"a"}`, `{"item_id":"a","price":"$19"}`),
		"item with 11 of its own":      purchase(`{"item_id":"a"}`, `{"item_id":"a"`+many(11, `,"c%d":1`)+`}`),
		"201 items":                    purchase(`{"item_id":"a"}`, `{"item_id":"a"}`+many(200, `,{"item_id":"%d"}`)),
	}
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

func TestEachRuleBites(t *testing.T) {
	for name, broken := range breaking() {
		if place(name) == "" {
			t.Errorf("%s: say where the vendor documents it", name)
		}
		t.Run(name+" ("+place(name)+")", func(t *testing.T) {
			fake := ga4test.New(ga4test.Options{Now: now})
			if w := send(t, fake, "/mp/collect"+query, "application/json", broken); w.Code != http.StatusNoContent {
				t.Errorf("status %d, want 204 as always", w.Code)
			}
			if n := fake.Violations.Total(); n != 1 {
				t.Errorf("%d violations, want 1: %v", n, fake.Violations.First())
			}
			if fake.Taken.Total() != 0 {
				t.Error("the event was taken")
			}
		})
	}
}

func TestTheExchangeIsHeldToo(t *testing.T) {
	sound := body("", event("a", ""))
	for name, try := range map[string]struct{ query, contentType string }{
		"no secret":           {"?measurement_id=G-1", "application/json"},
		"no measurement id":   {"?api_secret=s", "application/json"},
		"both kinds of id":    {query + "&firebase_app_id=1:2:web:3", "application/json"},
		"another contenttype": {query, "text/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := ga4test.New(ga4test.Options{})
			send(t, fake, "/mp/collect"+try.query, try.contentType, sound)
			if fake.Violations.Total() != 1 || fake.Taken.Total() != 0 {
				t.Errorf("violations %v, taken %d", fake.Violations.First(), fake.Taken.Total())
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

// place is where Google documents a rule: a page of its Measurement Protocol
// guide (developers.google.com/analytics/devguides/collection/protocol/ga4), or the
// validator of its Event Builder (googleanalytics/ga-dev-tools).
func place(rule string) string {
	for _, p := range []struct {
		begins []string
		place  string
	}{
		{[]string{"not JSON", "two values", "unknown top-level key", "unknown key in an event", "client_id", "user_id", "consent", "device key", "ip_override", "user_location", "user property without value", "event without a name"}, "reference: post body"},
		{[]string{"event name reserved", "event name prefix", "param name prefix", "param name reserved", "user property reserved"}, "reference: reserved names"},
		{[]string{"no events", "26 events", "body too large", "event name", "26 params", "param name", "param too long", "page_", "user property", "26 user properties", "timestamp"}, "sending-events: limitations"},
		{[]string{"no engagement time"}, "sending-events: recommended parameters for reports"},
		{[]string{"param ", "items outside commerce", "purchase", "value", "currency", "item ", "201 items"}, "Event Builder: ValidateEvent"},
	} {
		if slices.ContainsFunc(p.begins, func(start string) bool { return strings.HasPrefix(rule, start) }) {
			return p.place
		}
	}
	return ""
}
