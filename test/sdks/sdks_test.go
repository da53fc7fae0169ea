// Package sdks_test sends the same events through the vendors' own SDKs and
// through Sparrow's trackers into the same strict server, and compares what came
// field by field. Each difference is intended, and written down with its reason.
// Google has no SDK for servers: for GA4 it is Segment's destination, which sends
// the events of Segment's customers.
package sdks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
	"github.com/sparrow-edge/sparrow/trackers/heap"
	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

// events are what an SDK's user and a page of ours would both send: values that
// both ways can carry.
func events() []event.Event {
	shared, read, bought := trackertest.Track(), trackertest.Track(), trackertest.Track()
	shared.Properties = []event.Property{{Name: "article id", Value: event.NumberValue("991")}, {Name: "channel", Value: event.StringValue("email")}}
	read.EventID, read.Name, read.UserID = "aaaaaaaa-0000-4000-8000-000000000002", "Article Read", "42"
	read.Properties = []event.Property{{Name: "title", Value: event.StringValue("zürich 東京 🐦 \"quoted\"")}, {Name: "share", Value: event.NumberValue("0.25")}}
	bought.EventID, bought.Name = "aaaaaaaa-0000-4000-8000-000000000003", "Order Completed"
	bought.Properties = []event.Property{{Name: "revenue", Value: event.NumberValue("19.9")}, {Name: "currency", Value: event.StringValue("EUR")}}
	bought.UserProperties = []event.Property{{Name: "plan", Value: event.StringValue("pro")}}
	list := []event.Event{shared, read, bought}
	for i := range list {
		list[i].Page, list[i].Screen = event.Page{}, event.Screen{}
		list[i].SessionID = "1795165800000"
	}
	return list
}

// differences are the fields that are meant to differ, and why.
type differences map[string]string

// compare holds two logs against each other, event by event and field by field.
// Every difference must be in the table, and every row of the table must occur.
func compare(t *testing.T, sdk, ours []vendortest.Entry, intended differences) {
	t.Helper()
	if len(sdk) != len(ours) || len(sdk) == 0 {
		t.Fatalf("the SDK's events: %d, ours: %d", len(sdk), len(ours))
	}
	seen := differences{}
	for i := range sdk {
		theirs, own := members(t, sdk[i].Data), members(t, ours[i].Data)
		fields := maps.Clone(theirs)
		maps.Copy(fields, own)
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			difference := cmp.Diff(theirs[field], own[field])
			if difference == "" {
				continue
			}
			seen[field] = intended[field]
			if intended[field] == "" {
				t.Errorf("event %d, %s differs, and no reason is written down (- the SDK's, + ours):\n%s", i, field, difference)
			}
		}
	}
	for field := range intended {
		if _, occurs := seen[field]; !occurs {
			t.Errorf("%s is said to differ, and does not", field)
		}
	}
}

func members(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// install has the SDKs at hand.
func install(t *testing.T) {
	t.Helper()
	_, err1 := os.Stat("node_modules/heap-api")
	_, err2 := os.Stat("node_modules/@segment/action-destinations")
	if err1 == nil && err2 == nil {
		return
	}
	if out, err := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts").CombinedOutput(); err != nil {
		t.Fatalf("npm ci in test/sdks: %v\n%s", err, out)
	}
}

// throughSDK sends events with a vendor's SDK.
func throughSDK(t *testing.T, vendor string, server http.Handler, input any) {
	t.Helper()
	install(t)
	at := httptest.NewServer(server)
	defer at.Close()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "send.cjs", vendor, at.URL)
	cmd.Stdin = bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the SDK: %v\n%s", err, out)
	}
}

// throughTracker sends events with a tracker of ours.
func throughTracker(t *testing.T, kind tracker.Kind, configure func(any), server http.Handler, events []event.Event) {
	t.Helper()
	built, _, err := kind.Build(func(into any) error { configure(into); return nil })
	if err != nil {
		t.Fatal(err)
	}
	requests, rejections := built.Requests(events)
	if len(rejections) > 0 {
		t.Fatalf("rejected: %v", rejections)
	}
	for _, req := range requests {
		if req.Before != nil {
			perform(t, server, *req.Before)
		}
		perform(t, server, req)
	}
}

func perform(t *testing.T, server http.Handler, req tracker.Request) {
	t.Helper()
	r := httptest.NewRequest(req.Method, req.URL, bytes.NewReader(req.Body))
	r.Header = req.Header
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code > 299 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
}

func TestAmplitude(t *testing.T) {
	signedIn := events()[2]
	signedIn.EventID, signedIn.Name, signedIn.Properties = "aaaaaaaa-0000-4000-8000-000000000005", "signed in", nil
	list := append(events(), signedIn)
	var input []object
	for _, e := range list {
		call := object{
			"event_type": e.Name, "user_id": e.UserID, "device_id": e.DeviceID, "time": e.Time.UnixMilli(), "insert_id": e.EventID,
			"session_id": json.Number(e.SessionID), "event_properties": json.RawMessage(event.AppendObject(nil, e.Properties)),
			"language": e.Locale, "platform": "Web", "user_agent": e.UserAgent,
		}
		properties := json.RawMessage(event.AppendObject(nil, e.UserProperties))
		switch {
		case e.Name == signedIn.Name:
			call["identify"] = properties
			delete(call, "event_type")
			delete(call, "event_properties")
		case len(e.UserProperties) > 0:
			call["user_properties"] = properties
		}
		if v, ok := e.Lookup("revenue"); ok {
			call["revenue"], call["currency"] = json.Number(v.Text), "EUR"
		}
		input = append(input, call)
	}
	sdk, ours := amplitudetest.New(amplitudetest.Options{}), amplitudetest.New(amplitudetest.Options{})
	throughSDK(t, "amplitude", sdk, input)
	throughTracker(t, amplitude.Kind(), func(into any) {
		c := into.(*amplitude.Config)
		c.APIKey, c.Identify = "test-api-key", signedIn.Name
	}, ours, list)
	compare(t, sdk.Taken.Entries(), ours.Taken.Entries(), differences{
		"library":  "the SDK names itself; Sparrow says who it is in User-Agent",
		"event_id": "the SDK numbers the events of its process; Sparrow has none that lasts over a restart, and Amplitude needs none",
	})
	if n := sdk.Violations.Total() + ours.Violations.Total(); n > 0 {
		t.Errorf("rules broken: %v %v", sdk.Violations.First(), ours.Violations.First())
	}
}

func TestHeap(t *testing.T) {
	var input []map[string]any
	for _, e := range events() {
		call := map[string]any{"event": e.Name, "identity": e.UserID, "properties": json.RawMessage(event.AppendObject(nil, e.Properties))}
		if len(e.UserProperties) > 0 {
			call["userProperties"] = json.RawMessage(event.AppendObject(nil, e.UserProperties))
		}
		input = append(input, call)
	}
	sdk, ours := heaptest.New(heaptest.Options{}), heaptest.New(heaptest.Options{})
	throughSDK(t, "heap", sdk, input)
	throughTracker(t, heap.Kind(), func(into any) { into.(*heap.Config).AppID = "2183640915" }, ours, events())
	compare(t, withoutLocale(t, sdk.Taken.Entries()), withoutLocale(t, ours.Taken.Entries()), differences{
		"app_id":          "the SDK sends one event a request, which carries the id; Sparrow sends many, and the id beside them",
		"timestamp":       "the SDK has no time: Heap takes that of the upload; Sparrow sends when it happened",
		"idempotency_key": "the SDK has no key, so its repeats count twice; Sparrow sends the event's id",
	})
	compare(t, sdk.Users.Entries(), ours.Users.Entries(), differences{
		"app_id": "as above: the SDK tells of one user a request, Sparrow of many",
	})
	if n := sdk.Violations.Total() + ours.Violations.Total(); n > 0 {
		t.Errorf("rules broken: %v %v", sdk.Violations.First(), ours.Violations.First())
	}
}

// withoutLocale takes out what only Sparrow knows of the browser, so that the
// other properties are compared.
func withoutLocale(t *testing.T, entries []vendortest.Entry) []vendortest.Entry {
	t.Helper()
	for i := range entries {
		m := members(t, entries[i].Data)
		properties, ok := m["properties"].(map[string]any)
		if !ok {
			t.Fatalf("no properties: %s", entries[i].Data)
		}
		delete(properties, "locale")
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(fmt.Errorf("event %d: %w", i, err))
		}
		entries[i].Data = text
	}
	return entries
}
