package heap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/heap"
	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

func known(user string, properties ...event.Property) event.Event {
	e := trackertest.Track()
	e.UserID, e.UserProperties = user, properties
	return e
}

func property(name, value string) event.Property {
	return event.Property{Name: name, Value: event.StringValue(value)}
}

// One call before the events tells Heap of each of their users once.
func TestUserPropertiesGoBeforeTheEvents(t *testing.T) {
	built, _ := build(t, func(c *heap.Config) { c.AppID = "1" })
	batch := []event.Event{
		known("ann", property("plan", "free")), known("bob"), known("ann", property("plan", "pro"), property("EMAIL", "a"), property("Id", "7"), property("user_id", "8")),
		known("eve", property("ID", "only this")),
	}
	requests, _ := built.Requests(batch)
	if len(requests) != 1 || requests[0].Before == nil || !strings.HasSuffix(requests[0].Before.URL, "/api/add_user_properties") {
		t.Fatalf("%d requests", len(requests))
	}
	want := `{"app_id":"1","users":[{"identity":"ann","properties":{"email":"a","plan":"pro"}}]}`
	if got := string(requests[0].Before.Body); got != want {
		t.Errorf("tells %s\nwant  %s", got, want)
	}
	if requests, _ = built.Requests([]event.Event{known("bob")}); requests[0].Before != nil {
		t.Errorf("tells of a user without properties: %s", requests[0].Before.Body)
	}
}

// What Heap refuses to know of a user holds up only the question whose fault it is.
func TestRefusedUserPropertiesHoldNothingUp(t *testing.T) {
	built, _ := build(t, func(c *heap.Config) { c.AppID = "1" })
	for n, want := range map[int]map[int]tracker.Action{
		1: {200: tracker.Deliver, 400: tracker.Deliver, 429: tracker.Wait, 500: tracker.Wait, 401: tracker.Wait},
		2: {200: tracker.Deliver, 400: tracker.Halve, 429: tracker.Wait, 500: tracker.Wait, 401: tracker.Wait},
	} {
		batch := []event.Event{known("ann", property("plan", "pro")), known("bob", property("plan", "free"))}[:n]
		requests, _ := built.Requests(batch)
		for status, action := range want {
			v := built.Judge(*requests[0].Before, tracker.Response{Reach: tracker.Answered, Status: status})
			if len(v) != n || v[0].Action != action {
				t.Errorf("%d events, status %d: %+v, want action %d", n, status, v, action)
			}
		}
	}
}

func TestHeapsOwnNumberOfAVisitor(t *testing.T) {
	built, traits := build(t, func(c *heap.Config) { c.AppID, c.HeapUserID, c.Identify = "1", "heapUserId", "signed in" })
	visit := func(name, user, number string) event.Event {
		e := trackertest.Track()
		e.Name, e.UserID, e.Properties = name, user, []event.Property{property("heapUserId", number), property("a", "b")}
		return e
	}
	for name, try := range map[string]struct {
		event           event.Event
		rate, identify  string
		inBody, skipped string
	}{
		"anonymous":      {visit("look", "", "8612730184312740"), "user_id:8612730184312740", "", `"user_id":"8612730184312740","event":"look"`, ""},
		"leading zeros":  {visit("look", "", "0000000000000000007"), "user_id:7", "", `"user_id":"7","event":"look"`, ""},
		"no number":      {visit("look", "", "x"), "", "", "", "anonymous"},
		"too large":      {visit("look", "", "9007199254740992"), "", "", "", "anonymous"},
		"a user":         {visit("look", "ann", "7"), "identity:ann", "", `"identity":"ann","event":"look"`, ""},
		"at the sign-in": {visit("signed in", "ann", "7"), "identity:ann", `{"app_id":"1","identity":"ann","user_id":"7"}`, `"event":"signed in"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := traits.Identity(&try.event); got != try.rate || traits.IdentityRate != 1000 {
				t.Errorf("counts for %q, %d a minute", got, traits.IdentityRate)
			}
			requests, rejections := built.Requests([]event.Event{try.event})
			if try.skipped != "" {
				if len(rejections) != 1 || !rejections[0].Skip || rejections[0].Reason != try.skipped {
					t.Errorf("%d requests, %+v", len(requests), rejections)
				}
				return
			}
			req, identify := requests[0], ""
			fake := heaptest.New(heaptest.Options{})
			if req.Before != nil {
				identify = string(req.Before.Body)
				trackertest.Perform(fake, *req.Before)
			}
			trackertest.Perform(fake, req)
			if identify != try.identify || !strings.Contains(string(req.Body), try.inBody) || strings.Contains(string(req.Body), "heapUserId") {
				t.Errorf("identify %s, body %s", identify, req.Body)
			}
			if fake.Violations.Total() > 0 || fake.Taken.Total() != 1 {
				t.Errorf("taken %d, %v", fake.Taken.Total(), fake.Violations.First())
			}
		})
	}
}

func TestIdentifyNeedsTheNumber(t *testing.T) {
	_, _, err := heap.Kind().Build(func(into any) error {
		into.(*heap.Config).AppID, into.(*heap.Config).Identify = "1", "signed in"
		return nil
	})
	if err == nil || !strings.Contains(fmt.Sprint(err), "identify") {
		t.Errorf("error %v", err)
	}
}
