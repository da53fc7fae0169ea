package amplitude_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

// What an event says of its user is set with it; the event that identify names
// does that alone, by $identify's operations.
func TestUserProperties(t *testing.T) {
	built, _ := build(t, func(c *amplitude.Config) { c.APIKey, c.Identify = "not-a-real-key", "signed in" })
	properties := []event.Property{
		{Name: "plan", Value: event.StringValue("pro")}, {Name: "$unset", Value: event.StringValue("plan")}, {Name: "utm_source", Value: event.StringValue("own")},
	}
	for name, try := range map[string]struct {
		event, sent, user string
		properties        []event.Property
	}{
		"beside an event":     {"Article Shared", "Article Shared", `{"plan":"pro","utm_source":"own"}`, properties},
		"none":                {"Article Shared", "Article Shared", "", nil},
		"operations are none": {"Article Shared", "Article Shared", "", properties[1:2]},
		"identify": {" signed in ", "$identify", `{"$set":{"plan":"pro","utm_source":"own","referrer":"https://www.google.com/"},
			"$setOnce":{"initial_utm_source":"nl","initial_referrer":"https://www.google.com/"}}`, properties},
		"identify of nothing": {"signed in", "$identify", `{"$set":{"utm_source":"nl","referrer":"https://www.google.com/"},
			"$setOnce":{"initial_utm_source":"nl","initial_referrer":"https://www.google.com/"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := trackertest.Track()
			e.Name, e.UserProperties = try.event, try.properties
			requests, rejections := built.Requests([]event.Event{e})
			if len(requests) != 1 {
				t.Fatalf("%d requests, %v", len(requests), rejections)
			}
			fake := amplitudetest.New(amplitudetest.Options{})
			if trackertest.Perform(fake, requests[0]); fake.Violations.Total() > 0 || fake.Taken.Total() != 1 {
				t.Fatalf("taken %d, %v", fake.Taken.Total(), fake.Violations.First())
			}
			var sent struct {
				Type     string          `json:"event_type"`
				InsertID string          `json:"insert_id"`
				User     json.RawMessage `json:"user_properties"`
				Event    json.RawMessage `json:"event_properties"`
			}
			if err := json.Unmarshal(fake.Taken.Entries()[0].Data, &sent); err != nil {
				t.Fatal(err)
			}
			if sent.Type != try.sent || sent.InsertID != e.EventID || (sent.Event == nil) != (try.sent == "$identify") {
				t.Errorf("sent %+v", sent)
			}
			if diff := cmp.Diff(decoded(t, try.user), decoded(t, string(sent.User))); diff != "" {
				t.Errorf("user properties (- want, + sent):\n%s", diff)
			}
		})
	}
}

func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
