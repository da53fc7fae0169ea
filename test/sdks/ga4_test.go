package sdks_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/trackers/ga4"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

type object = map[string]any

// recorder keeps each event that it passes on, with what its request says of all of
// them: every field of a request by its path.
type recorder struct {
	next    http.Handler
	entries []vendortest.Entry
	broken  error
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	var top object
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		err = d.Decode(&top)
	}
	if err != nil {
		r.broken = err
	}
	events, _ := top["events"].([]any)
	delete(top, "events")
	for _, one := range events {
		fields := object{}
		flatten(fields, "", top)
		flatten(fields, "event.", one.(object))
		text, err := json.Marshal(fields)
		if err != nil {
			r.broken = err
		}
		name, _ := fields["event.name"].(string)
		r.entries = append(r.entries, vendortest.Entry{Name: name, Data: text})
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	r.next.ServeHTTP(w, q)
}

// flatten writes an object's fields by their paths; arrays stay whole.
func flatten(into object, path string, from object) {
	for name, value := range from {
		if inner, ok := value.(object); ok {
			flatten(into, path+name+".", inner)
		} else {
			into[path+name] = value
		}
	}
}

// visits are events of a shop: what both ways can carry.
func visits() []event.Event {
	list := events()[:2]
	seen, bought := trackertest.Pageview(), trackertest.Track()
	seen.Properties, bought.EventID, bought.Name = nil, "aaaaaaaa-0000-4000-8000-000000000004", "purchase"
	bought.Properties = []event.Property{
		{Name: "transaction_id", Value: event.StringValue("T-1001")}, {Name: "value", Value: event.NumberValue("59.9")}, {Name: "currency", Value: event.StringValue("EUR")},
		{Name: "items", Value: event.Value{Kind: event.Array, Items: []event.Value{{Kind: event.Object, Fields: []event.Property{
			{Name: "item_id", Value: event.StringValue("sku-1")}, {Name: "item_name", Value: event.StringValue("Workers")},
			{Name: "price", Value: event.NumberValue("29.95")}, {Name: "quantity", Value: event.NumberValue("2")},
		}}}}},
	}
	list[1].UserProperties = []event.Property{{Name: "plan", Value: event.StringValue("pro")}, {Name: "seats", Value: event.NumberValue("12")}}
	return append(list, seen, bought)
}

// segmentEvents are the same in Segment's words.
func segmentEvents(t *testing.T, list []event.Event) []object {
	t.Helper()
	var out []object
	for _, e := range list {
		properties := object{}
		if err := json.Unmarshal(event.AppendObject(nil, e.Properties), &properties); err != nil {
			t.Fatal(err)
		}
		context := object{"sessionId": e.SessionID, "page": object{"url": e.Page.URL, "referrer": e.Page.Referrer, "title": e.Page.Title}}
		if len(e.UserProperties) > 0 {
			context["traits"] = json.RawMessage(event.AppendObject(nil, e.UserProperties))
		}
		call := object{"action": "customEvent", "type": "track", "event": e.Name, "anonymousId": e.DeviceID, "timestamp": e.Time.Format(time.RFC3339Nano), "properties": properties, "context": context}
		switch e.Name {
		case "pageview":
			call["action"], call["type"] = "pageView", "page"
		case "purchase":
			call["action"], call["event"] = "purchase", "Order Completed"
			call["properties"] = object{"order_id": "T-1001", "total": 59.9, "currency": "EUR", "products": []object{
				{"product_id": "sku-1", "name": "Workers", "price": 29.95, "quantity": 2},
			}}
		default:
			renamed := object{"session_id": e.SessionID} // a Segment customer maps these by hand
			for name, value := range properties {
				renamed[strings.ReplaceAll(name, " ", "_")] = value
			}
			call["properties"] = renamed
		}
		if e.UserID != "" {
			call["userId"] = e.UserID
		}
		out = append(out, call)
	}
	return out
}

func TestGA4(t *testing.T) {
	list := visits()
	sdk, ours := ga4test.New(ga4test.Options{}), ga4test.New(ga4test.Options{})
	theirs, own := &recorder{next: sdk}, &recorder{next: ours}
	throughSDK(t, "ga4", theirs, segmentEvents(t, list))
	throughTracker(t, ga4.Kind(), func(into any) {
		c := into.(*ga4.Config)
		c.MeasurementID, c.APISecret = "G-TEST123456", "not-a-real-secret"
	}, own, list)
	if theirs.broken != nil || own.broken != nil {
		t.Fatal(theirs.broken, own.broken)
	}
	for _, r := range []*recorder{theirs, own} { // Sparrow puts a visitor's events together
		slices.SortFunc(r.entries, func(a, b vendortest.Entry) int { return strings.Compare(a.Name, b.Name) })
	}
	compare(t, theirs.entries, own.entries, differences{
		"timestamp_micros":           "Segment sends one event a request, with its time beside it; Sparrow has the time at each event",
		"event.timestamp_micros":     "as above",
		"consent.ad_user_data":       "Segment sends consent where it is mapped; Sparrow says what was not granted is denied",
		"consent.ad_personalization": "as above",
		"user_agent":                 "Segment sends none, so Google knows no browser of such events; Sparrow sends the visitor's",
		"event.params.page_location": "Segment sends the page with page views alone; Sparrow with every event, so that reports by page know it",
		"event.params.page_referrer": "as above",
		"event.params.page_title":    "as above",
	})
	if n := sdk.Violations.Total() + ours.Violations.Total(); n > 0 {
		t.Errorf("rules broken: %v %v", sdk.Violations.First(), ours.Violations.First())
	}
	if sdk.Taken.Total() != len(list) || ours.Taken.Total() != len(list) {
		t.Errorf("taken: %d and %d of %d", sdk.Taken.Total(), ours.Taken.Total(), len(list))
	}
}
