package amplitude_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

// three is one request of three users on three devices.
func three(t *testing.T, built tracker.Tracker) tracker.Request {
	t.Helper()
	var batch []event.Event
	for _, id := range []string{"a", "b", "c"} {
		e := trackertest.Track()
		e.EventID, e.UserID, e.DeviceID = "event-"+id, "user-"+id, "device-"+id
		batch = append(batch, e)
	}
	requests, rejections := built.Requests(batch)
	if len(requests) != 1 || len(rejections) != 0 {
		t.Fatalf("%d requests, %d rejections", len(requests), len(rejections))
	}
	return requests[0]
}

func TestDocumentedAnswers(t *testing.T) {
	const again, reject, park, wait, halve, deliver = tracker.Again, tracker.Reject, tracker.Park, tracker.Wait, tracker.Halve, tracker.Deliver
	for name, try := range map[string]struct {
		status int
		body   string
		want   []tracker.Action
		after  time.Duration
		alarm  bool
	}{
		"taken":                       {200, `{"code":200,"events_ingested":3}`, []tracker.Action{deliver, deliver, deliver}, 0, false},
		"200 that is a 429":           {200, `{"code":429,"error":"Too many requests"}`, []tracker.Action{wait, wait, wait}, 30 * time.Second, false},
		"200 that is a 400":           {200, `{"code":400,"events_with_invalid_fields":{"time":[1]}}`, []tracker.Action{again, reject, again}, 0, false},
		"200 of a proxy":              {200, `<html>Welcome</html>`, []tracker.Action{wait, wait, wait}, 0, true},
		"invalid field":               {400, `{"code":400,"events_with_invalid_fields":{"time":[2]}}`, []tracker.Action{again, again, reject}, 0, false},
		"missing field":               {400, `{"code":400,"error":"Request missing required field","missing_field":"","events_with_missing_fields":{"event_type":[0]}}`, []tracker.Action{reject, again, again}, 0, false},
		"id lengths":                  {400, `{"code":400,"events_with_invalid_id_lengths":{"user_id":[1]}}`, []tracker.Action{again, reject, again}, 0, false},
		"several faults":              {400, `{"code":400,"events_with_invalid_fields":{"time":[0],"ip":[0,1]},"events_with_missing_fields":{"event_type":[2]}}`, []tracker.Action{reject, reject, reject}, 0, false},
		"silenced":                    {400, `{"code":400,"error":"Events silenced for device_id","eps_threshold":100,"exceeded_daily_quota_devices":{},"silenced_devices":["device-a"],"silenced_events":[0],"throttled_devices":{"device-b":100},"throttled_events":[1]}`, []tracker.Action{reject, park, again}, 30 * time.Second, false},
		"silenced by id":              {400, `{"code":400,"silenced_devices":["device-c"]}`, []tracker.Action{again, again, reject}, 0, false},
		"key refused":                 {400, `{"code":400,"error":"Invalid API key"}`, []tracker.Action{wait, wait, wait}, 0, true},
		"key refused, colon":          {400, `{"code":400,"error":"Invalid API key: 3f1c"}`, []tracker.Action{wait, wait, wait}, 0, true},
		"key refused, in other words": {400, `{"code":400,"error":"invalid api_key"}`, []tracker.Action{wait, wait, wait}, 0, true},
		"everything at once":          {400, `{"code":400,"error":"Invalid field values on some events","missing_field":null,"events_with_invalid_fields":{"time":[]},"events_with_missing_fields":{"event_type":[0,9,-1]},"silenced_devices":["device-c","device-z"],"silenced_events":[3],"throttled_users":{"user-c":31,"user-b":31}}`, []tracker.Action{reject, park, reject}, 30 * time.Second, false},
		"empty lists":                 {400, `{"code":400,"events_with_invalid_fields":{"time":[]},"events_with_missing_fields":{},"silenced_devices":[],"silenced_events":[],"throttled_devices":{}}`, []tracker.Action{halve, halve, halve}, 0, false},
		"throttled, empty lists":      {429, `{"code":429,"throttled_users":{},"throttled_devices":{},"throttled_events":[]}`, []tracker.Action{wait, wait, wait}, 30 * time.Second, false},
		"throttled users and devices": {429, `{"code":429,"throttled_users":{"user-a":31},"throttled_devices":{"device-c":31}}`, []tracker.Action{park, again, park}, 30 * time.Second, false},
		"key missing":                 {400, `{"code":400,"error":"Request missing required field","missing_field":"api_key"}`, []tracker.Action{wait, wait, wait}, 0, true},
		"path":                        {400, `{"code":400,"error":"Invalid request path"}`, []tracker.Action{wait, wait, wait}, 0, true},
		"no indices":                  {400, `{"code":400,"error":"Invalid event JSON"}`, []tracker.Action{halve, halve, halve}, 0, false},
		"indices elsewhere":           {400, `{"code":400,"events_with_invalid_fields":{"time":[17,-1]}}`, []tracker.Action{halve, halve, halve}, 0, false},
		"400 of a proxy":              {400, `<html>`, []tracker.Action{halve, halve, halve}, 0, false},
		"forbidden":                   {403, `{"code":403,"error":"Forbidden"}`, []tracker.Action{wait, wait, wait}, 0, true},
		"too large":                   {413, `{"code":413,"error":"Payload too large"}`, []tracker.Action{halve, halve, halve}, 0, false},
		"too large, HTML":             {413, `<html><h1>413</h1></html>`, []tracker.Action{halve, halve, halve}, 0, false},
		"throttled events":            {429, `{"code":429,"eps_threshold":1000,"throttled_devices":{"device-a":4000},"throttled_events":[0]}`, []tracker.Action{park, again, again}, 30 * time.Second, false},
		"throttled user":              {429, `{"code":429,"throttled_users":{"user-b":4000}}`, []tracker.Action{again, park, again}, 30 * time.Second, false},
		"quota":                       {429, `{"code":429,"throttled_events":[0,1],"exceeded_daily_quota_users":{"user-a":500200},"throttled_devices":{"device-b":4000}}`, []tracker.Action{reject, park, again}, 30 * time.Second, false},
		"quota of a device":           {429, `{"code":429,"exceeded_daily_quota_devices":{"device-c":500900}}`, []tracker.Action{again, again, reject}, 0, false},
		"throttled, nobody":           {429, `{"code":429,"error":"Too many requests"}`, []tracker.Action{wait, wait, wait}, 30 * time.Second, false},
		"throttled others":            {429, `{"code":429,"throttled_users":{"somebody-else":4000}}`, []tracker.Action{wait, wait, wait}, 30 * time.Second, false},
		"server error":                {500, `{"code":200}`, []tracker.Action{wait, wait, wait}, 0, false},
		"unavailable":                 {503, ``, []tracker.Action{wait, wait, wait}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			built, _ := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key" })
			verdicts := built.Judge(three(t, built), tracker.Response{Reach: tracker.Answered, Status: try.status, Body: []byte(try.body)})
			var got []tracker.Action
			after, alarm := time.Duration(0), false
			for _, v := range verdicts {
				got, after, alarm = append(got, v.Action), max(after, v.After), alarm || v.Alarm
			}
			if !slices.Equal(got, try.want) || after != try.after || alarm != try.alarm {
				t.Errorf("actions %v after %v, alarm %v; want %v after %v, alarm %v", got, after, alarm, try.want, try.after, try.alarm)
			}
		})
	}
}

// An answer that names the empty id names nobody: neither the event without a user
// nor the one without a device.
func TestAnEmptyIDNamesNobody(t *testing.T) {
	built, _ := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key" })
	anonymous, server := trackertest.Track(), trackertest.Track()
	anonymous.UserID, server.DeviceID = "", ""
	requests, _ := built.Requests([]event.Event{anonymous, server})
	for status, body := range map[int]string{
		400: `{"code":400,"silenced_devices":[""]}`,
		429: `{"code":429,"throttled_users":{"":31},"throttled_devices":{"":31},"exceeded_daily_quota_users":{"":500001},"exceeded_daily_quota_devices":{"":500001}}`,
	} {
		for i, v := range built.Judge(requests[0], tracker.Response{Reach: tracker.Answered, Status: status, Body: []byte(body)}) {
			if v.Action == tracker.Reject || v.Action == tracker.Park {
				t.Errorf("status %d, event %d: %v, %s", status, i, v.Action, v.Reason)
			}
		}
	}
}

// The stand-in and Judge agree on who is at fault.
func TestTheStandInsLimitsReachTheRightEvents(t *testing.T) {
	for name, try := range map[string]struct {
		limit amplitudetest.Limit
		want  tracker.Action
	}{
		"throttled": {amplitudetest.Throttled, tracker.Park},
		"quota":     {amplitudetest.OverQuota, tracker.Reject},
		"silenced":  {amplitudetest.Silenced, tracker.Reject},
	} {
		t.Run(name, func(t *testing.T) {
			fake := amplitudetest.New(amplitudetest.Options{APIKey: "not-a-real-key"})
			fake.Limit("device-b", try.limit)
			built, _ := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key" })
			req := three(t, built)
			verdicts := built.Judge(req, trackertest.Perform(fake, req))
			if verdicts[0].Action != tracker.Again || verdicts[1].Action != try.want || verdicts[2].Action != tracker.Again {
				t.Errorf("verdicts %+v", verdicts)
			}
		})
	}
}

func TestBatchWaitsShorter(t *testing.T) {
	built, _ := build(t, func(c *amplitude.Config) { c.APIKey, c.Endpoint = "not-a-real-key", "batch" })
	verdicts := built.Judge(three(t, built), tracker.Response{Reach: tracker.Answered, Status: http.StatusTooManyRequests})
	if verdicts[0].After != 15*time.Second {
		t.Errorf("waits %v, want the 15 seconds of the Batch page", verdicts[0].After)
	}
}

func TestHosts(t *testing.T) {
	for want, configure := range map[string]func(*amplitude.Config){
		"https://api2.amplitude.com/2/httpapi":   func(*amplitude.Config) {},
		"https://api.eu.amplitude.com/2/httpapi": func(c *amplitude.Config) { c.Region = "eu" },
		"https://api2.amplitude.com/batch":       func(c *amplitude.Config) { c.Endpoint = "batch" },
		"https://api.eu.amplitude.com/batch":     func(c *amplitude.Config) { c.Region, c.Endpoint = "eu", "batch" },
		"http://127.0.0.1:9000/x/2/httpapi":      func(c *amplitude.Config) { c.BaseURL = "http://127.0.0.1:9000/x/" },
	} {
		built, traits := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key"; configure(c) })
		if got := three(t, built).URL; got != want || traits.Unencrypted {
			t.Errorf("sends to %s, want %s", got, want)
		}
	}
}
