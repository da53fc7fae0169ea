package trackertest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

// mistake is one that a vendor's author makes, the clause that it breaks, and words
// of the fault that say what is wrong or what to do about it.
type mistake struct {
	name, clause, words string
	spoil               func(*twin)
}

// eachRequest breaks every request that the sound tracker makes.
func eachRequest(change func(a *acme, i int, req *tracker.Request)) func(*twin) {
	return changed(func(a *acme, req requests, rej rejections) (requests, rejections) {
		for i := range req {
			change(a, i, &req[i])
		}
		return req, rej
	})
}

func mistakes() []mistake {
	return append(mistakesInRequests(), mistakesInVerdicts()...)
}

func mistakesInRequests() []mistake {
	traits := func(change func(*tracker.Traits)) func(*twin) { return func(w *twin) { w.traits = change } }
	return []mistake{
		{"a burst below a request", "traits make sense", "could never be sent", traits(func(t *tracker.Traits) { t.Rate, t.Burst = 5, 1 })},
		{"a negative linger", "traits make sense", "Linger", traits(func(t *tracker.Traits) { t.Linger = -1 })},
		{"a rate of nobody", "traits make sense", "without Identity", traits(func(t *tracker.Traits) { t.IdentityRate = 10 })},
		{"JSON shows the token", "errors show no secret", "a log line", func(w *twin) { w.logged = true }},
		{"another field", "golden requests", `want   "events": [`, eachRequest(func(_ *acme, _ int, req *tracker.Request) {
			req.Body = []byte(strings.Replace(string(req.Body), `"events"`, `"event"`, 1))
		})},
		{"no method", "requests are complete", "without a method", eachRequest(func(_ *acme, _ int, req *tracker.Request) { req.Method = "" })},
		{"nothing is sent", "requests are complete", "not one of the suite's events", changed(func(*acme, requests, rejections) (requests, rejections) { return nil, nil })},
		{"an index from elsewhere", "each event in exactly one place", "outside the batch", eachRequest(func(_ *acme, _ int, req *tracker.Request) { req.Events[0] = 1000 })},
		{"a request of nothing", "each event in exactly one place", "without events", changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
			return append(req, tracker.Request{}), rej
		})},
		{"events forgotten", "each event in exactly one place", "is lost: it is in no request", changed(func(_ *acme, req requests, _ rejections) (requests, rejections) { return req[1:], nil })},
		{"the whole batch at once", "limits hold", "tracker.Packer", func(w *twin) { w.requests = wholesale }},
		{"the order of a map", "encoding is deterministic", "the body of request 0, from byte", eachRequest(func(a *acme, _ int, req *tracker.Request) { req.Body = fmt.Appendf(req.Body, " %d", a.calls.Add(1)) })},
		{"a running header", "encoding is deterministic", "the header of request 0", eachRequest(func(a *acme, _ int, req *tracker.Request) { req.Header.Set("X-Request", fmt.Sprint(a.calls.Add(1))) })},
		{"one body for all", "requests are independent", "make them for each", func(w *twin) {
			shared := []byte("{}")
			eachRequest(func(_ *acme, _ int, req *tracker.Request) { req.Body = shared })(w)
		}},
		{"sorting in place", "input is not changed", "clone what is to be sorted", func(w *twin) {
			w.requests = func(a *acme, batch []event.Event) (requests, rejections) {
				for i := range batch {
					tracker.SortUnique(batch[i].Properties)
				}
				return translate(a, batch)
			}
		}},
		{"basic authentication", "masked requests show no secret", "name the encoded value in Traits.Secrets", eachRequest(func(_ *acme, _ int, req *tracker.Request) {
			req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("robot:"+secret)))
		})},
		{"the token before an event", "masked requests show no secret", "belongs into the query", eachRequest(func(_ *acme, _ int, req *tracker.Request) {
			first := *req
			first.URL = "https://acme.example.com/check/" + secret
			req.Before = &first
		})},
		{"a long reason", "reasons show no values", "more than 200", changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
			for i := range rej {
				rej[i].Reason = strings.Repeat("because ", 50)
			}
			return req, rej
		})},
		{"a check that is not judged", "what goes before is of the same events", "0 verdicts", func(w *twin) {
			eachRequest(func(_ *acme, _ int, req *tracker.Request) {
				first := *req
				first.Method = http.MethodPut
				req.Before = &first
			})(w)
			w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
				if req.Method == http.MethodPut {
					return nil
				}
				return judge(req, resp)
			}
		}},
		{"an index into nothing", "empty batch", "the tracker panics", func(w *twin) {
			w.requests = func(a *acme, batch []event.Event) (requests, rejections) {
				_ = batch[0]
				return translate(a, batch)
			}
		}},
	}
}

// wholesale makes one request of a batch, however large.
func wholesale(a *acme, batch []event.Event) (requests, rejections) {
	var events []int
	for i := range batch {
		events = append(events, i)
	}
	if len(events) == 0 {
		return nil, nil
	}
	return requests{{Events: events, Method: http.MethodPost, URL: "https://acme.example.com/", Header: a.shared.Clone(), Body: []byte("{}")}}, nil
}

func mistakesInVerdicts() []mistake {
	return []mistake{
		{"no action", "a verdict for each event", "without an action", judged(func(_ tracker.Response, v *tracker.Verdict) { v.Action = 0 })},
		{"for ever", "a verdict for each event", "waits 25h", judged(func(_ tracker.Response, v *tracker.Verdict) { v.After = 25 * time.Hour })},
		{"the token as the reason", "a verdict for each event", "a verdict shows a secret", judged(func(_ tracker.Response, v *tracker.Verdict) { v.Reason = "refused " + secret })},
		{"the body is trimmed in place", "a verdict for each event", "changes the answer's body", func(w *twin) {
			w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
				clear(resp.Body)
				return judge(req, resp)
			}
		}},
		{"a 429 rejects", "every status is judged", "want Wait", judged(func(resp tracker.Response, v *tracker.Verdict) {
			if resp.Status == http.StatusTooManyRequests {
				v.Action = tracker.Reject
			}
		})},
		{"a redirect is fine", "every status is judged", "status 300", judged(func(resp tracker.Response, v *tracker.Verdict) {
			if resp.Status/100 == 3 {
				v.Action = tracker.Deliver
			}
		})},
		{"lost is rejected", "reach is respected", "NotConnected, status 0, Traits.Dedup true: Reject, want Wait", judged(func(resp tracker.Response, v *tracker.Verdict) {
			if resp.Reach == tracker.NotConnected {
				v.Action = tracker.Reject
			}
		})},
		{"dates are not read", "retry-after is kept", "2026", judged(func(resp tracker.Response, v *tracker.Verdict) {
			if strings.Contains(resp.Header.Get("Retry-After"), "GMT") {
				v.After = 0
			}
		})},
		{"taken is not believed", "taken means delivered", "Spec.Taken", judged(func(_ tracker.Response, v *tracker.Verdict) {
			*v = tracker.Verdict{Action: tracker.Wait, Reason: "later"}
		})},
		{"an answer is taken at its word", "hostile answers", "panics judging Answered, status", func(w *twin) {
			w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
				var answer struct {
					Failed map[string][]int `json:"events_with_invalid_fields"`
				}
				verdicts := judge(req, resp)
				if json.Unmarshal(resp.Body, &answer) == nil {
					for _, list := range answer.Failed {
						for _, i := range list {
							verdicts[i].Action = tracker.Reject
						}
					}
				}
				return verdicts
			}
		}},
		{"an empty answer is taken apart", "hostile answers", "index out of range", func(w *twin) {
			w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
				if resp.Body[0] == '<' {
					return tracker.Same(len(req.Events), tracker.Verdict{Action: tracker.Wait, Reason: "HTML"})
				}
				return judge(req, resp)
			}
		}},
		{"a panic in a goroutine", "safe for concurrent use", "panics where several goroutines use it", changed(func(a *acme, req requests, rej rejections) (requests, rejections) {
			if a.calls.Add(1) > 1 {
				panic("a map is written by two")
			}
			return req, rej
		})},
	}
}

// A vendor's author reads what is wrong, and what to do.
func TestAFaultSaysWhatIsWrong(t *testing.T) {
	for _, m := range mistakes() {
		t.Run(m.clause+"/"+m.name, func(t *testing.T) {
			w := sound()
			m.spoil(&w)
			faults := trackertest.FaultsOf(spec(t, w), m.clause)
			if len(faults) == 0 {
				t.Fatal("the clause holds")
			}
			wants(t, faults, m.words)
			for _, fault := range faults {
				if len(fault) > 4000 {
					t.Errorf("a fault of %d bytes", len(fault))
				}
			}
		})
	}
}
