package http_test

import (
	"encoding/json"
	nethttp "net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

// checkPlaces wants each event in one place, and bodies that are JSON.
func checkPlaces(t *testing.T, batch []event.Event, requests []tracker.Request, rejections []tracker.Rejection) {
	t.Helper()
	places := len(rejections)
	for _, req := range requests {
		places += len(req.Events)
		if !json.Valid(req.Body) || len(req.Body) > 5<<20 {
			t.Fatalf("%d bytes, not JSON: %.300q", len(req.Body), req.Body)
		}
	}
	if places != len(batch) {
		t.Errorf("%d of %d events are accounted for", places, len(batch))
	}
}

// judge has a tracker of three events a request read one answer.
func judge(t *testing.T, answers string, resp tracker.Response) []tracker.Verdict {
	t.Helper()
	built, _ := build(t, with(".", "batch: { maxEvents: 3 }", "dedup: true", answers))
	requests, _ := built.Requests([]event.Event{trackertest.Track(), trackertest.Track(), trackertest.Track()})
	return built.Judge(requests[0], resp)
}

const rules = `
answers:
  - status: [400]
    when: '.failed | length > 0'
    events: '.failed[].index'
    verdict: rejected
    reason: 'if .failed[0].why == "old" then "too old" else .failed[0].why end'
    others: delivered
  - { status: [400], events: '.throttled[]?', verdict: park, others: again, after: 30s }
  - { status: [2xx], when: '.errors', verdict: rejected, reason: '"refused with a 200"' }
  - { status: [500-504], when: '$status == 503', verdict: wait, after: 5s }
  - { status: [402], verdict: alarm, after: 1h }
  - { when: '.poison', verdict: halve }
`

func TestAnswers(t *testing.T) {
	refused := func(reason string) tracker.Verdict { return tracker.Verdict{Action: tracker.Reject, Reason: reason} }
	taken := tracker.Verdict{Action: tracker.Deliver}
	again := tracker.Verdict{Action: tracker.Again, Reason: "refused for another event of its request"}
	parked := tracker.Verdict{Action: tracker.Park, Reason: "the vendor cannot take this event now", After: 30 * time.Second}
	all := func(v tracker.Verdict) []tracker.Verdict { return tracker.Same(3, v) }
	for name, try := range map[string]struct {
		status int
		body   string
		want   []tracker.Verdict
	}{
		"by index":               {400, `{"failed":[{"index":1,"why":"old"}]}`, []tracker.Verdict{taken, refused("too old"), taken}},
		"the vendor's own words": {400, `{"failed":[{"index":1,"why":"user-48213 is old"}]}`, []tracker.Verdict{taken, refused("refused by the vendor"), taken}},
		"an index of no event":   {400, `{"failed":[{"index":3},{"index":-1},{"index":0.5},{"index":"1"}]}`, all(tracker.Verdict{Action: tracker.Halve, Reason: "http 400 Bad Request"})},
		"parked":                 {400, `{"throttled":[0,2]}`, []tracker.Verdict{parked, again, parked}},
		"a 2xx that refuses":     {200, `{"errors":["x"]}`, all(refused("refused with a 200"))},
		"a 2xx":                  {200, `{"errors":null}`, all(taken)},
		"by $status":             {503, "", all(tracker.Verdict{Action: tracker.Wait, Reason: "the vendor takes nothing now", After: 5 * time.Second})},
		"alarm":                  {402, "", all(tracker.Verdict{Action: tracker.Wait, Alarm: true, Reason: "the vendor takes nothing until somebody acts", After: time.Hour})},
		"any status":             {418, `{"poison":true}`, all(tracker.Verdict{Action: tracker.Halve, Reason: "refused by the vendor"})},
		"no JSON":                {400, "<html>", all(tracker.Verdict{Action: tracker.Halve, Reason: "http 400 Bad Request"})},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(t, rules, tracker.Response{Reach: tracker.Answered, Status: try.status, Body: []byte(try.body)})
			if !slices.Equal(got, try.want) {
				t.Errorf("verdicts %+v\nwant     %+v", got, try.want)
			}
		})
	}
}

func TestRetryAfterCountsWhereItIsLonger(t *testing.T) {
	for header, want := range map[string]time.Duration{"": 5 * time.Second, "1": 5 * time.Second, "60": time.Minute} {
		got := judge(t, rules, tracker.Response{Reach: tracker.Answered, Status: 503, Header: nethttp.Header{"Retry-After": {header}}})
		if got[0].After != want {
			t.Errorf("Retry-After %q: waits %v, want %v", header, got[0].After, want)
		}
	}
}

func TestRulesAreOfCompleteAnswers(t *testing.T) {
	got := judge(t, "answers: [{ verdict: delivered }]", tracker.Response{Reach: tracker.Written, Status: 200})
	if got[0].Action != tracker.Wait {
		t.Errorf("an answer that broke off gives action %d", got[0].Action)
	}
}

func TestRulesThatCannotBe(t *testing.T) {
	for rule, want := range map[string]string{
		"{ verdict: taken }":                                           "answers[0].verdict",
		"{ verdict: rejected, others: again }":                         "answers[0].others",
		"{ verdict: rejected, events: '.[]' }":                         "answers[0].others",
		"{ verdict: wait, events: '.[]', others: again }":              "answers[0].others",
		"{ verdict: wait, after: 2h }":                                 "answers[0].after",
		"{ status: [20], verdict: wait }":                              "answers[0].status",
		"{ status: [600], verdict: wait }":                             "answers[0].status",
		"{ status: [5xx-200], verdict: wait }":                         "answers[0].status",
		"{ when: 'now', verdict: wait }":                               "answers[0].when: line 1, column 1",
		"{ reason: '$nothing', verdict: wait }":                        "answers[0].reason: line 1, column 1",
		"{ events: ']', verdict: rejected, others: delivered }":        "answers[0].events: line 1, column 1",
		"{ when: '.a', verdict: wait }, { verdict: x, status: [2xx] }": "answers[1].verdict",
	} {
		if _, _, err := tryBuild(with(".", "answers: ["+rule+"]")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that names %s", rule, err, want)
		}
	}
}

// FuzzJudge: any answer gives a verdict for each event, and nothing that an
// answer says gets into a reason.
func FuzzJudge(f *testing.F) {
	for _, body := range []string{"", "null", `{"failed_records":[{"index":0}]}`, `{"quota_limited":["events"]}`, `{"failed":[{"index":1,"why":"secret words"}]}`, "[[[", `{"throttled":[1e99,-1,2]}`} {
		f.Add(400, body)
		f.Add(200, body)
	}
	var trackers []tracker.Tracker
	for _, config := range []string{example(f, "mixpanel"), example(f, "posthog"), with(".", "batch: { maxEvents: 3 }", rules)} {
		built, _ := build(f, config)
		trackers = append(trackers, built)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		known := []string{"too old", "refused", "takes", "cannot take", "http ", "Mixpanel refuses", "PostHog drops", "redirect"}
		for _, built := range trackers {
			requests, _ := built.Requests([]event.Event{trackertest.Track(), trackertest.Track()})
			verdicts := built.Judge(requests[0], tracker.Response{Reach: tracker.Answered, Status: status, Body: []byte(body)})
			if len(verdicts) != 2 {
				t.Fatalf("%d verdicts", len(verdicts))
			}
			for _, v := range verdicts {
				if v.Action < tracker.Deliver || v.Action > tracker.Halve {
					t.Errorf("action %d", v.Action)
				}
				if v.Reason != "" && !slices.ContainsFunc(known, func(s string) bool { return strings.Contains(v.Reason, s) }) {
					t.Errorf("reason %q", v.Reason)
				}
			}
		}
	})
}
