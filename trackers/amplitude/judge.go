package amplitude

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Judge reads an answer by its status and, where Amplitude documents one, its
// body:
//
//	200 with another code in the body        as that status
//	200 with a body that is not Amplitude's  wait, alarm: something else answered
//	400 invalid API key, request path        wait, alarm
//	400 with indices, silenced events        those rejected, throttled ones parked, the rest again
//	400 without indices                      halved until the event at fault is alone
//	413                                      halved
//	429 of some users or devices             those parked, over the daily quota rejected, the rest again
//	429 of nobody in the request             wait
//	all others                               tracker.JudgeStatus
func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	if resp.Reach != tracker.Answered {
		return tracker.JudgeStatus(req, resp, true)
	}
	answer, readable := readAnswer(resp)
	switch {
	case resp.Status >= 200 && resp.Status < 300:
		return t.judgeSuccess(req, resp, answer, readable)
	case resp.Status == http.StatusBadRequest:
		return t.judgeBadRequest(req, resp, answer)
	case resp.Status == http.StatusTooManyRequests:
		return t.judgeThrottled(req, resp, answer)
	}
	return tracker.JudgeStatus(req, resp, true)
}

func (t *translator) judgeSuccess(req tracker.Request, resp tracker.Response, a answer, readable bool) []tracker.Verdict {
	switch {
	case !readable:
		return tracker.Same(len(req.Events), tracker.Verdict{
			Action: tracker.Wait, Alarm: true, Reason: tracker.StatusReason(resp.Status) + ", but the body is not Amplitude's: check baseURL and proxies",
		})
	case a.Code == 0 || a.Code >= 200 && a.Code < 300:
		return tracker.Same(len(req.Events), tracker.Verdict{Action: tracker.Deliver})
	}
	resp.Status = a.Code
	return t.Judge(req, resp)
}

// judgeBadRequest: the whole request was refused, nothing of it was taken.
func (t *translator) judgeBadRequest(req tracker.Request, resp tracker.Response, a answer) []tracker.Verdict {
	alarm := tracker.Verdict{Action: tracker.Wait, Alarm: true, After: tracker.RetryAfter(resp)}
	switch {
	case aboutKey(a):
		alarm.Reason = "http 400: Amplitude refuses the API key: check apiKey and region"
	case a.Error == "Invalid request path":
		alarm.Reason = "http 400: Amplitude does not know the path: check baseURL"
	}
	if alarm.Reason != "" {
		return tracker.Same(len(req.Events), alarm)
	}
	if verdicts, some := t.apportion(req, resp, a); some {
		return verdicts
	}
	return tracker.JudgeStatus(req, resp, true)
}

// aboutKey reports whether an answer refuses the API key, in whatever words: the
// pages and the SDKs differ in them, and no event is at fault.
func aboutKey(a answer) bool {
	words := strings.ToLower(strings.ReplaceAll(a.Error, "_", " "))
	return a.MissingField == "api_key" || strings.Contains(words, "api key")
}

// judgeThrottled: some users or devices send too much, or nobody is named and
// the whole project does.
func (t *translator) judgeThrottled(req tracker.Request, resp tracker.Response, a answer) []tracker.Verdict {
	if verdicts, some := t.apportion(req, resp, a); some {
		return verdicts
	}
	return tracker.Same(len(req.Events), tracker.Verdict{
		Action: tracker.Wait, Reason: tracker.StatusReason(resp.Status), After: max(tracker.RetryAfter(resp), t.api.throttled),
	})
}

// readAnswer decodes a body; an empty one is readable, and says nothing.
func readAnswer(resp tracker.Response) (answer, bool) {
	var a answer
	body := bytes.TrimSpace(resp.Body)
	if len(body) == 0 {
		return a, true
	}
	if body[0] != '{' || json.Unmarshal(body, &a) != nil {
		return answer{}, false
	}
	return a, true
}

// answer is the union of Amplitude's documented bodies. Indices refer to the
// request's events.
type answer struct {
	Code         int    `json:"code"`
	Error        string `json:"error"`
	MissingField string `json:"missing_field"`

	InvalidFields    map[string][]int `json:"events_with_invalid_fields"`
	MissingFields    map[string][]int `json:"events_with_missing_fields"`
	InvalidIDLengths map[string][]int `json:"events_with_invalid_id_lengths"`
	SilencedEvents   []int            `json:"silenced_events"`
	ThrottledEvents  []int            `json:"throttled_events"`

	SilencedDevices  []string           `json:"silenced_devices"`
	ThrottledUsers   map[string]float64 `json:"throttled_users"`
	ThrottledDevices map[string]float64 `json:"throttled_devices"`
	QuotaUsers       map[string]float64 `json:"exceeded_daily_quota_users"`
	QuotaDevices     map[string]float64 `json:"exceeded_daily_quota_devices"`
}

// apportion gives each event of a refused request its verdict, from the indices
// and ids that the answer names; false says that it names none of them.
func (t *translator) apportion(req tracker.Request, resp tracker.Response, a answer) ([]tracker.Verdict, bool) {
	verdicts := tracker.Same(len(req.Events), tracker.Verdict{Action: tracker.Again, Reason: "refused for another event of its request"})
	some := false
	set := func(i int, v tracker.Verdict) {
		if i >= 0 && i < len(verdicts) {
			verdicts[i], some = v, true
		}
	}
	// Later ones replace earlier ones, so the most serious comes last.
	parked := tracker.Verdict{Action: tracker.Park, Reason: "its user or device is throttled", After: max(tracker.RetryAfter(resp), t.api.throttled)}
	for _, i := range a.ThrottledEvents {
		set(i, parked)
	}
	quota := tracker.Verdict{Action: tracker.Reject, Reason: "its user or device is over Amplitude's daily quota"}
	silenced := tracker.Verdict{Action: tracker.Reject, Reason: "its device is silenced at Amplitude"}
	for i, ev := range identities(req) {
		switch {
		case ev.DeviceID != "" && slices.Contains(a.SilencedDevices, ev.DeviceID):
			set(i, silenced)
		case has(a.QuotaUsers, ev.UserID) || has(a.QuotaDevices, ev.DeviceID):
			set(i, quota)
		case has(a.ThrottledUsers, ev.UserID) || has(a.ThrottledDevices, ev.DeviceID):
			set(i, parked)
		}
	}
	for _, i := range a.SilencedEvents {
		set(i, silenced)
	}
	rejectFields(set, a.InvalidIDLengths, "id too short")
	rejectFields(set, a.MissingFields, "missing field")
	rejectFields(set, a.InvalidFields, "invalid field")
	return verdicts, some
}

func rejectFields(set func(int, tracker.Verdict), fields map[string][]int, fault string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		reason := fault
		if knownField(name) {
			reason += " " + name
		}
		for _, i := range fields[name] {
			set(i, tracker.Verdict{Action: tracker.Reject, Reason: reason})
		}
	}
}

// knownField reports whether a reason may name a field. Other words of a response
// could be values of an event.
func knownField(name string) bool {
	switch name {
	case "user_id", "device_id", "event_type", "time", "insert_id", "session_id", "event_properties", "user_properties",
		"revenue", "productId", "revenueType", "currency", "ip", "user_agent", "language", "platform":
		return true
	}
	return false
}

type identity struct {
	UserID   string `json:"user_id"`
	DeviceID string `json:"device_id"`
}

// identities are the users and devices of a request's events.
func identities(req tracker.Request) []identity {
	var sent struct {
		Events []identity `json:"events"`
	}
	if json.Unmarshal(req.Body, &sent) != nil {
		return nil
	}
	return sent.Events
}

// has reports whether an answer names an id; events without one have none to name.
func has(ids map[string]float64, id string) bool {
	_, ok := ids[id]
	return ok && id != ""
}
