package amplitude

import (
	"bytes"
	"encoding/json"
	"net/http"
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
