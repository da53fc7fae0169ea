package trackertest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// received is when every answer of the suite came.
func received() time.Time { return time.Date(2026, 11, 20, 9, 15, 3, 0, time.UTC) }

func answered(status int, body string, header http.Header) tracker.Response {
	return tracker.Response{Reach: tracker.Answered, Status: status, Header: header, Body: []byte(body), Received: received()}
}

// samples are two requests of the suite's events: the largest, and one of a single
// event.
func (k *check) samples() []tracker.Request {
	largest, _ := k.tracker.Requests(Events(2, max(min(k.traits.MaxBatch, 200), 1)))
	var several, single tracker.Request
	for _, req := range largest {
		if len(req.Events) > len(several.Events) {
			several = req
		}
	}
	for seed := uint64(0); len(single.Events) != 1 && seed < 50; seed++ {
		if requests, _ := k.tracker.Requests(Events(seed, 1)); len(requests) == 1 {
			single = requests[0]
		}
	}
	if len(several.Events) == 0 || len(single.Events) != 1 {
		k.failf("the suite's events give no requests to judge")
		return nil
	}
	return []tracker.Request{several, single}
}

// judge calls Judge and checks what must be true of every result.
func (k *check) judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	k.doing = fmt.Sprintf(" judging %v, status %d, body %.80q, of %d events", resp.Reach, resp.Status, resp.Body, len(req.Events))
	body := bytes.Clone(resp.Body)
	verdicts := k.tracker.Judge(req, resp)
	k.doing = ""
	if !bytes.Equal(body, resp.Body) {
		k.failf("status %d: Judge changes the answer's body that it is given", resp.Status)
	}
	if len(verdicts) != len(req.Events) {
		k.failf("status %d: %d verdicts for %d events; want one for each of req.Events, in their order", resp.Status, len(verdicts), len(req.Events))
	}
	for _, v := range verdicts {
		switch {
		case v.Action < tracker.Deliver || v.Action > tracker.Halve:
			k.failf("status %d: a verdict without an action: %v", resp.Status, v.Action)
		case v.Action != tracker.Deliver && v.Reason == "":
			k.failf("status %d: %v without a reason", resp.Status, v.Action)
		case v.After < 0 || v.After > 24*time.Hour:
			k.failf("status %d: waits %v", resp.Status, v.After)
		case len(v.Reason) > maxReason:
			k.failf("status %d: a reason of %d bytes, more than %d", resp.Status, len(v.Reason), maxReason)
		}
		k.secretIn("a verdict", v.Reason)
		if k.failed() {
			break
		}
	}
	return verdicts
}

func verdictForEachEvent(k *check) {
	for _, req := range k.samples() {
		for n := range len(req.Events) + 1 {
			part := req
			part.Events = req.Events[:n]
			for _, resp := range []tracker.Response{k.spec.Taken, answered(400, "{}", nil), answered(503, "", nil), {Reach: tracker.Written}} {
				k.judge(part, resp)
			}
			if k.failed() {
				return
			}
		}
	}
}

func everyStatusIsJudged(k *check) {
	for _, req := range k.samples() {
		for status := 100; status < 600; status++ {
			for _, body := range []string{"", "{}", string(k.spec.Taken.Body)} {
				for _, v := range k.judge(req, answered(status, body, nil)) {
					if v.Action == tracker.Deliver && (status < 200 || status > 299) {
						k.failf("status %d with body %q counts as delivered", status, body)
					}
					if v.Action == tracker.Uncertain && status >= 300 {
						k.failf("status %d is a complete answer, yet Uncertain; want Wait, or what it says", status)
					}
					if v.Action == tracker.Reject && (status == 429 || status >= 500) {
						k.failf("status %d says nothing of the event, yet rejects it; want Wait", status)
					}
				}
			}
			if k.failed() {
				return
			}
		}
	}
}

func takenMeansDelivered(k *check) {
	for _, req := range k.samples() {
		for _, v := range k.judge(req, k.spec.Taken) {
			if v.Action != tracker.Deliver {
				k.failf("the answer of Spec.Taken, by which the vendor takes all events, gives %v: %s", v.Action, v.Reason)
			}
		}
	}
}

// reachIsRespected: a request without a complete response delivers nothing, and
// nothing is sent twice to a vendor that does not drop repeats.
func reachIsRespected(k *check) {
	written := tracker.Uncertain
	if k.traits.Dedup {
		written = tracker.Wait
	}
	for _, req := range k.samples() {
		for reach, want := range map[tracker.Reach]tracker.Action{tracker.NotConnected: tracker.Wait, tracker.NotWritten: tracker.Wait, tracker.Written: written} {
			for _, status := range []int{0, 200, 500} { // a status may have come before the connection broke
				resp := tracker.Response{Reach: reach, Status: status, Err: errors.New("connection reset by peer"), Received: received()}
				for _, v := range k.judge(req, resp) {
					if v.Action != want {
						k.failf("%v, status %d, Traits.Dedup %t: %v, want %v; tracker.JudgeStatus knows", reach, status, k.traits.Dedup, v.Action, want)
					}
				}
			}
		}
	}
}

func retryAfterIsKept(k *check) {
	cases := map[string]time.Duration{
		"120": 2 * time.Minute,
		received().Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		"99999999999999999999": 0,
		"900000":               0,
		"-5":                   0,
		"soon":                 0,
	}
	for _, req := range k.samples() {
		for value, want := range cases {
			for _, status := range []int{429, 503} {
				for _, v := range k.judge(req, answered(status, "", http.Header{"Retry-After": {value}})) {
					if v.After < want {
						k.failf("status %d, Retry-After %q: waits %v, want at least %v", status, value, v.After, want)
					}
					if v.After > 2*tracker.MaxRetryAfter {
						k.failf("status %d, Retry-After %q: waits %v, which silences the tracker", status, value, v.After)
					}
				}
			}
		}
	}
}

const echoed = "ECHOED-BY-THE-VENDOR"

func (k *check) hostileBodies() []string {
	return []string{
		"", " ", "null", "[]", "0", `"text"`, "{", "}", "\x00\xff\xfe", "<html><body>" + echoed + "</body></html>",
		`{"code":200`, `{"code":"200"}`, `{"code":1e999}`, `{"error":"` + echoed + `"}`, `{"error":"` + k.aSecret() + `"}`,
		`{"` + echoed + `":{"` + echoed + `":[0,1,2]}}`,
		`{"events_with_invalid_fields":{"` + echoed + `":[0,-1,99999999,9223372036854775807]}}`,
		`{"events_with_invalid_fields":[1],"throttled_events":"x"}`,
		strings.Repeat("[", 30_000), strings.Repeat(`{"a":`, 10_000), strings.Repeat("A", tracker.MaxResponse),
	}
}

func hostileAnswers(k *check) {
	for _, req := range k.samples() {
		for _, body := range k.hostileBodies() {
			for _, status := range []int{-1, 0, 100, 200, 204, 206, 299, 302, 400, 403, 413, 418, 429, 500, 503, 599, 999} {
				resp := answered(status, body, http.Header{"Retry-After": {"", "x"}, "Location": {"https://example.com/" + echoed}})
				resp.Truncated = len(body) == tracker.MaxResponse
				for _, v := range k.judge(req, resp) {
					if v.Action == tracker.Deliver && (status < 200 || status > 299) {
						k.failf("status %d with body %.40q counts as delivered", status, body)
					}
					if strings.Contains(v.Reason, echoed) {
						k.failf("a reason repeats the vendor's words, which may hold anything: %q", v.Reason)
					}
				}
			}
			if k.failed() {
				return
			}
		}
	}
}
