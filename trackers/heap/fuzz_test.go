package heap_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/heap"
	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

// FuzzRequests: whatever an event holds, what is sent of it breaks no rule.
func FuzzRequests(f *testing.F) {
	for _, c := range trackertest.Corpus() {
		for _, e := range c.Events {
			f.Add(e.Name, e.EventID, e.DeviceID, e.UserID, e.SessionID, "key", e.Page.URL, e.Page.Title, e.UserAgent, uint64(7))
		}
	}
	f.Fuzz(func(t *testing.T, name, id, device, user, session, key, value, title, agent string, seed uint64) {
		built, _ := build(t, func(c *heap.Config) { c.AppID, c.Anonymous = "2183640915", "hash" })
		e := event.Event{
			EventID: id, Name: name, DeviceID: device, UserID: user, SessionID: session, UserAgent: agent, Locale: title,
			Time: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Page: event.Page{URL: value, Path: value, Referrer: title, Title: title},
			UserProperties: []event.Property{{Name: key, Value: event.StringValue(value)}},
			Properties: []event.Property{
				{Name: key, Value: event.StringValue(value)},
				{Name: key + "2", Value: event.Value{Kind: event.Object, Fields: []event.Property{{Name: value, Value: event.StringValue(key)}}}},
			},
		}
		batch := append(trackertest.Events(seed, 2), e)
		requests, rejections := built.Requests(batch)
		placed := len(rejections)
		fake := heaptest.New(heaptest.Options{})
		for _, req := range requests {
			placed += len(req.Events)
			if !json.Valid(req.Body) {
				t.Fatalf("not JSON: %q", req.Body)
			}
			if req.Before != nil {
				post(fake, *req.Before)
			}
			post(fake, req)
		}
		if placed != len(batch) {
			t.Errorf("%d of %d events are accounted for", placed, len(batch))
		}
		if fake.Violations.Total() > 0 {
			t.Errorf("%v", fake.Violations.First())
		}
	})
}

// FuzzJudge: any answer gives a verdict for each event, and only a 2xx delivers.
func FuzzJudge(f *testing.F) {
	for _, body := range []string{
		"", "{}", "null", "<html>", `{"code":200}`, `{"code":400,"events_with_invalid_fields":{"time":[0]}}`,
		`{"code":429,"throttled_users":{"user-48213":1},"throttled_events":[0]}`, `{"code":400,"silenced_devices":["d"],"silenced_events":[1]}`,
	} {
		f.Add(uint8(3), 200, body, "1")
		f.Add(uint8(3), 400, body, "Fri, 20 Nov 2026 09:00:00 GMT")
		f.Add(uint8(2), 429, body, "-1")
	}
	f.Fuzz(func(t *testing.T, reach uint8, status int, body, retryAfter string) {
		built, _ := build(t, func(c *heap.Config) { c.AppID, c.Anonymous = "2183640915", "hash" })
		requests, _ := built.Requests([]event.Event{trackertest.Track(), trackertest.Track(), trackertest.Track()})
		resp := tracker.Response{
			Reach: tracker.Reach(reach), Status: status, Body: []byte(body), Header: map[string][]string{"Retry-After": {retryAfter}},
			Received: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		}
		for _, req := range requests {
			verdicts := built.Judge(req, resp)
			if len(verdicts) != len(req.Events) {
				t.Fatalf("%d verdicts for %d events", len(verdicts), len(req.Events))
			}
			for _, v := range verdicts {
				if v.Action < tracker.Deliver || v.Action > tracker.Halve || v.After < 0 || v.After > tracker.MaxRetryAfter {
					t.Errorf("verdict %+v", v)
				}
				if v.Action == tracker.Deliver && (resp.Reach != tracker.Answered || status < 200 || status > 299) {
					t.Errorf("reach %d, status %d counts as delivered", reach, status)
				}
			}
		}
	})
}

// BenchmarkRequests translates ordinary events, each of another visitor, and
// reports the time and allocations of one event.
func BenchmarkRequests(b *testing.B) {
	built, _ := build(b, func(c *heap.Config) { c.AppID, c.Anonymous = "2183640915", "hash" })
	batch := make([]event.Event, 200)
	for i := range batch {
		batch[i] = trackertest.Track()
		batch[i].DeviceID = batch[i].DeviceID[:30] + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(batch) {
		if requests, _ := built.Requests(batch[:min(len(batch), b.N-n)]); len(requests) == 0 {
			b.Fatal("no requests")
		}
	}
}
