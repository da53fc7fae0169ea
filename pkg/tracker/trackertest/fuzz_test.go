package trackertest_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// strict is acme's stand-in: it wants the token and counts the ids.
type strict struct {
	taken      *vendortest.Log
	violations vendortest.Violations
}

func (s *strict) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := vendortest.ReadBody(r)
	if err != nil || !bytes.HasPrefix(body, []byte(`{"token":"`+secret+`"`)) || r.URL.Path != "/events" {
		s.violations.Add(vendortest.Violation{Rule: "token", Detail: "missing"})
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPost {
		for range bytes.Count(body, []byte(`{"id":`)) {
			s.taken.Add(vendortest.Entry{})
		}
	}
}

func facingFake(t *testing.T, w twin) trackertest.Spec {
	s := spec(t, w)
	s.Fake = func() trackertest.Fake {
		fake := &strict{taken: vendortest.NewLog(nil)}
		return trackertest.NewFake(fake, fake.taken, &fake.violations)
	}
	return s
}

// FuzzJudge and FuzzRequests run the bodies on the sound tracker.
func FuzzJudge(f *testing.F) {
	trackertest.FuzzJudge(f, trackertest.Spec{Kind: sound().kind(), Config: "token: " + secret})
}

func FuzzRequests(f *testing.F) {
	trackertest.FuzzRequests(f, trackertest.Spec{Kind: sound().kind(), Config: "token: " + secret})
}

func BenchmarkRequests(b *testing.B) {
	trackertest.BenchmarkRequests(b, trackertest.Spec{Kind: sound().kind(), Config: "token: " + secret})
}

// brokenSends are trackers that send wrongly, and a word of the fault.
func brokenSends() map[string]func(*twin) {
	each := func(change func(req *tracker.Request)) func(*twin) {
		return changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
			for i := range req {
				change(&req[i])
			}
			return req, rej
		})
	}
	return map[string]func(*twin){
		"events are accounted for": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) { return req[1:], rej }),
		"not JSON":                 each(func(req *tracker.Request) { req.Body = req.Body[1:] }),
		"rules broken":             each(func(req *tracker.Request) { req.Body = []byte(`{}`) }),
		"such as [\"token":         each(func(req *tracker.Request) { req.Before = elsewhere(*req) }),
	}
}

// elsewhere is a request that the stand-in refuses, to go before another.
func elsewhere(req tracker.Request) *tracker.Request {
	req.URL = "https://acme.example.com/nowhere"
	return &req
}

// harmless is a request that takes nothing, to go before another.
func harmless(req tracker.Request) *tracker.Request {
	req.Method = http.MethodPut
	return &req
}

func TestFuzzRequestsSeesWhatIsWrong(t *testing.T) {
	batch := trackertest.Events(1, 12)
	if faults := trackertest.RequestFaults(facingFake(t, sound()), batch); len(faults) > 0 {
		t.Errorf("the sound tracker: %v", faults)
	}
	for want, breakIt := range brokenSends() {
		t.Run(want, func(t *testing.T) {
			w := sound()
			breakIt(&w)
			wants(t, trackertest.RequestFaults(facingFake(t, w), batch), want)
		})
	}
}

func TestFuzzJudgeSeesWhatIsWrong(t *testing.T) {
	refused := tracker.Response{Reach: tracker.Answered, Status: http.StatusTeapot}
	if faults := trackertest.JudgeFaults(spec(t, sound()), refused); len(faults) > 0 {
		t.Errorf("the sound tracker: %v", faults)
	}
	for name, try := range map[string]struct {
		resp  tracker.Response
		want  string
		spoil func(*twin)
	}{
		"status":  {refused, "counts as delivered", judged(func(_ tracker.Response, v *tracker.Verdict) { v.Action = tracker.Deliver })},
		"reach":   {tracker.Response{Reach: tracker.Written, Status: 200}, "counts as delivered", judged(func(_ tracker.Response, v *tracker.Verdict) { v.Action = tracker.Deliver })},
		"action":  {refused, "verdict {", judged(func(_ tracker.Response, v *tracker.Verdict) { v.Action = tracker.Halve + 1 })},
		"early":   {refused, "verdict {", judged(func(_ tracker.Response, v *tracker.Verdict) { v.After = -1 })},
		"late":    {refused, "verdict {", judged(func(_ tracker.Response, v *tracker.Verdict) { v.After = tracker.MaxRetryAfter + 1 })},
		"number":  {refused, "0 verdicts", func(w *twin) { w.judge = func(tracker.Request, tracker.Response) []tracker.Verdict { return nil } }},
		"nothing": {refused, "nothing is sent", changed(func(*acme, requests, rejections) (requests, rejections) { return nil, nil })},
	} {
		t.Run(name, func(t *testing.T) {
			w := sound()
			try.spoil(&w)
			wants(t, trackertest.JudgeFaults(spec(t, w), try.resp), try.want)
		})
	}
}

func TestNothingRefusedSeesWhatIsWrong(t *testing.T) {
	trackertest.NothingRefused(t, facingFake(t, sound()), 5)
	before := func(make func(tracker.Request) *tracker.Request) func(*twin) {
		return changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
			for i := range req {
				req[i].Before = make(req[i])
			}
			return req, rej
		})
	}
	well := sound()
	before(harmless)(&well)
	trackertest.NothingRefused(t, facingFake(t, well), 5)

	for name, try := range map[string]struct {
		want  string
		spoil func(*twin)
	}{
		"a rule":        {"token: missing", brokenSends()["rules broken"]},
		"before":        {"before it: true: Halve", before(elsewhere)},
		"remark before": {"before it: true: Deliver: but", func(w *twin) { before(harmless)(w); remark(w) }},
		"unsent":        {"0 sent", changed(func(*acme, requests, rejections) (requests, rejections) { return nil, nil })},
		"rejected": {"are sent", func(w *twin) {
			w.requests = func(_ *acme, batch []event.Event) (requests, rejections) {
				rej := make(rejections, len(batch))
				return nil, rej
			}
		}},
		"number":       {"0 verdicts", func(w *twin) { w.judge = func(tracker.Request, tracker.Response) []tracker.Verdict { return nil } }},
		"not believed": {"before it: false: Wait", judged(func(_ tracker.Response, v *tracker.Verdict) { v.Action = tracker.Wait })},
		"all violations ignored": {"rules broken", func(w *twin) {
			brokenSends()["rules broken"](w)
			judged(func(_ tracker.Response, v *tracker.Verdict) { v.Action = tracker.Deliver })(w)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := sound()
			try.spoil(&w)
			wants(t, trackertest.RefusedFaults(facingFake(t, w), 2), try.want)
		})
	}
	wants(t, trackertest.RefusedFaults(spec(t, sound()), 2), "no fake")
}

// remark lets every verdict have a reason.
func remark(w *twin) { judged(func(_ tracker.Response, v *tracker.Verdict) { v.Reason = "but" })(w) }

func wants(t *testing.T, faults []string, want string) {
	t.Helper()
	if !slices.ContainsFunc(faults, func(s string) bool { return strings.Contains(s, want) }) {
		t.Errorf("faults %q, want one with %q", faults, want)
	}
}
