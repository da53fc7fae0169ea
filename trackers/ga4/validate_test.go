package ga4_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/ga4"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

func numbered(n int) []event.Event {
	batch := make([]event.Event, n)
	for i := range batch {
		batch[i] = trackertest.Track()
		batch[i].EventID = fmt.Sprintf("018f4e6a-0000-7000-8000-%012d", i)
	}
	return batch
}

func validatedIDs(t *testing.T, built tracker.Tracker, batch []event.Event) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	requests, _ := built.Requests(batch)
	for _, req := range requests {
		if req.Before == nil {
			continue
		}
		if len(req.Events) != 1 || string(req.Before.Body) != string(req.Body) || !strings.Contains(req.Before.URL, "/debug/mp/collect?") {
			t.Fatalf("events %v are validated by %s", req.Events, tracker.MaskURL(req.Before.URL))
		}
		ids[batch[req.Events[0]].EventID] = true
	}
	return ids
}

func TestTheShareIsValidatedAndTheSameOneEachTime(t *testing.T) {
	batch := numbered(20_000)
	for share, want := range map[float64][2]int{0: {0, 0}, 0.01: {150, 250}, 0.5: {9_700, 10_300}, 1: {20_000, 20_000}} {
		built, _ := build(t, func(c *ga4.Config) { sound(c); c.Validate = share })
		ids := validatedIDs(t, built, batch)
		if len(ids) < want[0] || len(ids) > want[1] {
			t.Errorf("share %v: %d of 20,000 are validated, want %v", share, len(ids), want)
		}
		for id := range validatedIDs(t, built, batch[5_000:]) {
			if !ids[id] {
				t.Errorf("share %v: %s is chosen in one batch and not in another", share, id)
			}
		}
	}
}

// What Google's validator says decides, also where our own rules see nothing.
func TestValidationDecides(t *testing.T) {
	built, _ := build(t, func(c *ga4.Config) { sound(c); c.Validate = 1 })
	requests, _ := built.Requests(numbered(1))
	for name, try := range map[string]struct {
		resp   tracker.Response
		action tracker.Action
		reason string
	}{
		"no messages":     {tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`{ "validationMessages": [ ] }`)}, tracker.Deliver, "validated"},
		"a message":       {tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`{"validationMessages":[{"fieldPath":"events[0].params.mail@x","description":"jane@example.com","validationCode":"NAME_INVALID"}]}`)}, tracker.Reject, "validation: NAME_INVALID in events"},
		"unknown code":    {tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`{"validationMessages":[{"fieldPath":"jane","validationCode":"jane@example.com"}]}`)}, tracker.Reject, "validation: refused"},
		"no path":         {tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`{"validationMessages":[{"validationCode":"INTERNAL_ERROR"}]}`)}, tracker.Reject, "validation: INTERNAL_ERROR"},
		"another answer":  {tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`<html>`)}, tracker.Deliver, "unvalidated"},
		"an empty object": {tracker.Response{Reach: tracker.Answered, Status: 200, Body: []byte(`{}`)}, tracker.Deliver, "unvalidated"},
		"an outage":       {tracker.Response{Reach: tracker.Answered, Status: 503}, tracker.Deliver, "unvalidated"},
		"no connection":   {tracker.Response{Reach: tracker.NotConnected}, tracker.Deliver, "unvalidated"},
		"no answer":       {tracker.Response{Reach: tracker.Written}, tracker.Deliver, "unvalidated"},
	} {
		if v := built.Judge(*requests[0].Before, try.resp)[0]; v.Action != try.action || v.Reason != try.reason {
			t.Errorf("%s: action %d, %q; want %d, %q", name, v.Action, v.Reason, try.action, try.reason)
		}
	}
	if v := built.Judge(requests[0], tracker.Response{Reach: tracker.Answered, Status: 204})[0]; v.Reason != "unvalidated" {
		t.Errorf("the request itself: %q", v.Reason)
	}
}

// The stand-in's validator has nothing to say about anything that is sent.
func TestTheValidatorFindsNothing(t *testing.T) {
	fake := ga4test.New(ga4test.Options{})
	built, _ := build(t, func(c *ga4.Config) { sound(c); c.Validate = 1; c.ForwardIP = true })
	requests, _ := built.Requests(trackertest.Events(77, 500))
	for _, req := range requests {
		r := httptest.NewRequest(req.Method, req.Before.URL, strings.NewReader(string(req.Before.Body)))
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		v := built.Judge(*req.Before, tracker.Response{Reach: tracker.Answered, Status: w.Code, Body: w.Body.Bytes()})
		if v[0].Reason != "validated" {
			t.Fatalf("event %v: %s: %s", req.Events, v[0].Reason, w.Body)
		}
	}
}

// body decodes the only request of one event.
func body(t *testing.T, configure func(*ga4.Config), e event.Event) map[string]any {
	t.Helper()
	built, _ := build(t, func(c *ga4.Config) { sound(c); configure(c) })
	requests, rejections := built.Requests([]event.Event{e})
	if len(requests) != 1 {
		t.Fatalf("%d requests, %v", len(requests), rejections)
	}
	var top map[string]any
	if err := json.Unmarshal(requests[0].Body, &top); err != nil {
		t.Fatal(err)
	}
	return top
}

func TestPlaceByPrivacySetting(t *testing.T) {
	placed := trackertest.Track()
	placed.Properties = append(placed.Properties,
		event.Property{Name: "country", Value: event.StringValue("GB")},
		event.Property{Name: "region", Value: event.StringValue("GB-LND")},
		event.Property{Name: "town", Value: event.StringValue("London")})
	wrong := trackertest.Track()
	wrong.Properties = []event.Property{{Name: "country", Value: event.StringValue("Great Britain")}, {Name: "region", Value: event.StringValue("london")}}
	location := ga4.Location{Country: "country", Region: "region", City: "town"}
	for name, try := range map[string]struct {
		configure func(*ga4.Config)
		event     event.Event
		ip, place string
	}{
		"by default nothing":     {func(*ga4.Config) {}, placed, "<nil>", "<nil>"},
		"the address":            {func(c *ga4.Config) { c.ForwardIP = true }, placed, "203.0.113.0", "<nil>"},
		"the country":            {func(c *ga4.Config) { c.Location.Country = "country" }, placed, "<nil>", "map[country_id:GB]"},
		"the place, not address": {func(c *ga4.Config) { c.ForwardIP, c.Location = true, location }, placed, "<nil>", "map[city:London country_id:GB region_id:GB-LND]"},
		"not a code":             {func(c *ga4.Config) { c.Location = location }, wrong, "<nil>", "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			top := body(t, try.configure, try.event)
			if ip, place := fmt.Sprint(top["ip_override"]), fmt.Sprint(top["user_location"]); ip != try.ip || place != try.place {
				t.Errorf("ip_override %s, user_location %s; want %s, %s", ip, place, try.ip, try.place)
			}
			params := top["events"].([]any)[0].(map[string]any)["params"].(map[string]any)
			if _, there := params["country"]; there != (name == "by default nothing" || name == "the address") {
				t.Errorf("the country is a parameter: %v", there)
			}
		})
	}
}
