package trackertest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// FuzzRequests is the body of a vendor's fuzz target of the encoder: whatever an
// event holds, every event of its batch is accounted for, a body is JSON unless
// its Content-Type says otherwise, and what is sent breaks no rule of spec.Fake,
// if there is one. An event's id is as long as intake lets it be, the rest may be
// longer. Of the spec it reads Kind, Config and Fake.
func FuzzRequests(f *testing.F, spec Spec) {
	f.Helper()
	for _, c := range Corpus() {
		for _, e := range c.Events {
			f.Add(e.Name, e.EventID, e.DeviceID, e.UserID, e.SessionID, "key", e.Page.URL, e.Page.Title, e.UserAgent, uint64(7))
		}
	}
	f.Fuzz(func(t *testing.T, name, id, device, user, session, key, value, title, agent string, seed uint64) {
		e := event.Event{
			EventID: tracker.Truncate(id, event.MaxEventID), Name: name, DeviceID: device, UserID: user, SessionID: session, UserAgent: agent, Locale: title,
			Time: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Page: event.Page{URL: value, Path: value, Referrer: title, Title: title},
			UserProperties: []event.Property{{Name: key, Value: event.StringValue(value)}},
			Properties: []event.Property{
				{Name: key, Value: event.StringValue(value)},
				{Name: key + "2", Value: event.Value{Kind: event.Object, Fields: []event.Property{{Name: value, Value: event.StringValue(key)}}}},
			},
		}
		verify(t, spec, breaksNoRule(append(Events(seed, 2), e)))
	})
}

// FuzzJudge is the body of a vendor's fuzz target of Judge: whatever became of a
// request, there is a sensible verdict for each of its events, and only a 2xx
// delivers. Of the spec it reads Kind and Config. A vendor adds the bodies that it
// documents with f.Add(reach, status, body, retryAfter) before: an uint8, an int
// and two strings.
func FuzzJudge(f *testing.F, spec Spec) {
	f.Helper()
	for _, body := range []string{
		"", "{}", "null", "<html>", `{"code":200}`, `{"code":400,"events_with_invalid_fields":{"time":[0]}}`,
		`{"code":429,"throttled_users":{"user-48213":1},"throttled_events":[0]}`, `{"code":400,"silenced_devices":["d"],"silenced_events":[1]}`,
	} {
		f.Add(uint8(3), 200, body, "1")
		f.Add(uint8(3), 400, body, "Fri, 20 Nov 2026 09:00:00 GMT")
		f.Add(uint8(2), 429, body, "-1")
	}
	f.Fuzz(func(t *testing.T, reach uint8, status int, body, retryAfter string) {
		verify(t, spec, judgesSensibly(tracker.Response{
			Reach: tracker.Reach(reach), Status: status, Body: []byte(body), Header: http.Header{"Retry-After": {retryAfter}},
			Received: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		}))
	})
}

// verify fails the test with the faults that one check finds.
func verify(t testing.TB, spec Spec, verify func(*check)) {
	t.Helper()
	for _, fault := range faultsOf(spec, clause{verify: verify}) {
		t.Error(fault)
	}
}

// breaksNoRule checks that requests break no rule, and that no event is lost.
func breaksNoRule(batch []event.Event) func(*check) {
	return func(k *check) {
		requests, rejections := k.tracker.Requests(batch)
		placed := len(rejections)
		for _, req := range requests {
			placed += len(req.Events)
			if maybeJSON(req) {
				k.soundJSON(req.Body)
			}
		}
		if placed != len(batch) {
			k.failf("%d of %d events are accounted for", placed, len(batch))
		}
		if k.spec.Fake == nil {
			return
		}
		fake := k.spec.Fake()
		for _, req := range inOrder(requests) {
			Perform(fake, req)
		}
		if total, first := fake.Violations(); total > 0 {
			k.failf("%d rules broken, such as %q", total, first)
		}
	}
}

// maybeJSON reports whether the request does not declare another type than JSON.
func maybeJSON(req tracker.Request) bool {
	declared := req.Header.Get("Content-Type")
	return declared == "" || strings.Contains(declared, "json")
}

// judgesSensibly checks that each event has a valid verdict.
func judgesSensibly(resp tracker.Response) func(*check) {
	return func(k *check) {
		requests, _ := k.tracker.Requests([]event.Event{Track(), Track(), Track()})
		if len(requests) == 0 {
			k.failf("nothing is sent of the ordinary event, so there is nothing to judge")
		}
		for _, req := range requests {
			verdicts := k.tracker.Judge(req, resp)
			if len(verdicts) != len(req.Events) {
				k.failf("%d verdicts for %d events", len(verdicts), len(req.Events))
				return
			}
			for _, v := range verdicts {
				if v.Action < tracker.Deliver || v.Action > tracker.Halve || v.After < 0 || v.After > tracker.MaxRetryAfter {
					k.failf("verdict %+v", v)
				}
				if v.Action == tracker.Deliver && (resp.Reach != tracker.Answered || resp.Status < 200 || resp.Status > 299) {
					k.failf("%v, status %d counts as delivered", resp.Reach, resp.Status)
				}
			}
		}
	}
}
