package ga4_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/ga4"
)

func sound(c *ga4.Config) { c.MeasurementID, c.APISecret = "G-TEST123456", "not-a-real-secret" }

// What stands beside the events holds for all of them: whoever differs in any of
// it gets a request of his own.
func TestARequestIsOfOneVisitor(t *testing.T) {
	built, _ := build(t, func(c *ga4.Config) { sound(c); c.ForwardIP = true })
	for name, change := range map[string]func(*event.Event){
		"client":          func(e *event.Event) { e.DeviceID = "another" },
		"user":            func(e *event.Event) { e.UserID = "another" },
		"no user":         func(e *event.Event) { e.UserID = "" },
		"user agent":      func(e *event.Event) { e.UserAgent = "another" },
		"no user agent":   func(e *event.Event) { e.UserAgent = "" },
		"address":         func(e *event.Event) { e.IP = "198.51.100.0" },
		"consent":         func(e *event.Event) { e.Consent = map[string]bool{"marketing": true} },
		"user properties": func(e *event.Event) { e.UserProperties = []event.Property{{Name: "a", Value: event.NumberValue("1")}} },
	} {
		t.Run(name, func(t *testing.T) {
			other := trackertest.Track()
			change(&other)
			requests, _ := built.Requests([]event.Event{trackertest.Track(), other, trackertest.Track(), other})
			if len(requests) != 2 || len(requests[0].Events) != 2 || requests[0].Events[1] != 2 {
				t.Errorf("%d requests, the first of events %v; want 2, the first of 0 and 2", len(requests), requests[0].Events)
			}
		})
	}
}

func TestTwentyFiveEventsARequest(t *testing.T) {
	built, _ := build(t, sound)
	batch := make([]event.Event, 51)
	for i := range batch {
		batch[i] = trackertest.Track()
	}
	requests, _ := built.Requests(batch)
	if len(requests) != 3 || len(requests[0].Events) != 25 || len(requests[2].Events) != 1 {
		t.Errorf("%d requests for 51 events", len(requests))
	}
}

// A body stays under 130 kB however many items are in a purchase, and an event
// that would not fit alone is rejected.
func TestOneEventOverTheLimitIsRejected(t *testing.T) {
	built, _ := build(t, sound)
	big := trackertest.Track()
	items := event.Value{Kind: event.Array}
	for i := range 200 {
		item := event.Value{Kind: event.Object, Fields: []event.Property{{Name: "item_id", Value: event.StringValue(strconv.Itoa(i))}}}
		for j := range 10 {
			item.Fields = append(item.Fields, event.Property{Name: "c" + strconv.Itoa(j), Value: event.StringValue(strings.Repeat("x", 100))})
		}
		items.Items = append(items.Items, item)
	}
	big.Name, big.Properties = "view_item_list", []event.Property{{Name: "items", Value: items}}
	requests, rejections := built.Requests([]event.Event{trackertest.Track(), big})
	if len(requests) != 1 || len(rejections) != 1 || rejections[0].Event != 1 || !strings.Contains(rejections[0].Reason, "130 kB") {
		t.Errorf("%d requests, rejections %v", len(requests), rejections)
	}
}

func TestHosts(t *testing.T) {
	for region, want := range map[string]string{
		"":       "https://www.google-analytics.com/mp/collect?",
		"global": "https://www.google-analytics.com/mp/collect?",
		"eu":     "https://region1.google-analytics.com/mp/collect?",
	} {
		built, _ := build(t, func(c *ga4.Config) { sound(c); c.Region = region })
		requests, _ := built.Requests([]event.Event{trackertest.Track()})
		if !strings.HasPrefix(requests[0].URL, want) {
			t.Errorf("region %q sends to %s, want %s", region, tracker.MaskURL(requests[0].URL), want)
		}
	}
}

func TestAddressesAreSentOnlyWhenToldTo(t *testing.T) {
	for forward, want := range map[bool]bool{false: false, true: true} {
		built, _ := build(t, func(c *ga4.Config) { sound(c); c.ForwardIP = forward })
		requests, _ := built.Requests([]event.Event{trackertest.Track()})
		if got := strings.Contains(string(requests[0].Body), "203.0.113"); got != want {
			t.Errorf("forwardIP %v: address sent %v", forward, got)
		}
	}
}

func TestTraits(t *testing.T) {
	_, traits := build(t, sound)
	if traits.Dedup || traits.MaxEventAge != 72*time.Hour || traits.Concurrency < 8 || traits.Concurrency > 16 {
		t.Errorf("traits %+v", traits)
	}
}

func TestDeliveredIsSaidToBeUnvalidated(t *testing.T) {
	built, _ := build(t, sound)
	requests, _ := built.Requests([]event.Event{trackertest.Track()})
	v := built.Judge(requests[0], tracker.Response{Reach: tracker.Answered, Status: 204})[0]
	if v.Action != tracker.Deliver || v.Reason != "unvalidated" {
		t.Errorf("verdict %+v", v)
	}
}
