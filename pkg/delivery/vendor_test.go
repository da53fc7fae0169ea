package delivery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const secret = "s3cr3t-api-key"

// wire is the vendor's protocol: a request lists event ids, an answer says
// which of them are treated otherwise than taken.
type wire struct {
	Events []string          `json:"events"`
	Note   string            `json:"note,omitempty"` // personal data, in answers
	Say    map[string]string `json:"say,omitempty"`  // id: reject, park, again
}

// translator is a small tracker of that protocol.
type translator struct {
	base  string
	each  int // events a request
	dedup bool
	pad   int // bytes of padding in a body
}

func (t *translator) Requests(batch []event.Event) (requests []tracker.Request, rejections []tracker.Rejection) {
	var group []int
	flush := func() {
		if len(group) == 0 {
			return
		}
		var body wire
		for _, i := range group {
			body.Events = append(body.Events, batch[i].EventID)
		}
		b, _ := json.Marshal(body)
		requests = append(requests, tracker.Request{
			Events: group, Method: http.MethodPost, URL: t.base + "/collect?id=1&api_secret=" + secret,
			Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + secret}, "Idempotency-Key": {body.Events[0]}},
			Body:   append(b, bytes.Repeat([]byte(" "), t.pad)...),
		})
		group = nil
	}
	for i := range batch {
		switch batch[i].Name {
		case "too long":
			rejections = append(rejections, tracker.Rejection{Event: i, Reason: "name: too long"})
		case "skipped":
			rejections = append(rejections, tracker.Rejection{Event: i, Reason: "left out by configuration", Skip: true})
		case "panic":
			panic("translate: " + secret)
		case "forgotten":
		default:
			if group = append(group, i); len(group) == max(t.each, 1) {
				flush()
			}
		}
	}
	flush()
	return requests, rejections
}

func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	verdicts := tracker.JudgeStatus(req, resp, t.dedup)
	var asked, answer wire
	if resp.Status != http.StatusOK || json.Unmarshal(resp.Body, &answer) != nil || json.Unmarshal(bytes.TrimSpace(req.Body), &asked) != nil {
		return verdicts
	}
	for i, id := range asked.Events {
		switch answer.Say[id] {
		case "reject":
			verdicts[i] = tracker.Verdict{Action: tracker.Reject, Reason: "field: refused"}
		case "park":
			verdicts[i] = tracker.Verdict{Action: tracker.Park, Reason: "user throttled"}
		case "again":
			verdicts[i] = tracker.Verdict{Action: tracker.Again, Reason: "not taken"}
		}
	}
	return verdicts
}

// vendor is a strict server of the protocol, with a log of its own.
type vendor struct {
	mu       sync.Mutex
	log      []string // ids, in order, each time they were taken
	requests int
	batches  []int
	say      func(id string) string                        // "" takes the event
	fault    func(n int, w http.ResponseWriter) (did bool) // the n-th request, from 1; before anything is taken
	after    func(n int)                                   // once its events were taken
	fails    func(id string) bool                          // answers 500 to a request that holds such an event
	failed   [][]string                                    // the requests that it did this to
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body wire
	data, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(data, &body) != nil || len(body.Events) == 0 || r.URL.Query().Get("api_secret") != secret ||
		!strings.HasPrefix(r.UserAgent(), "Sparrow/") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	v.mu.Lock()
	v.requests++
	n := v.requests
	v.batches = append(v.batches, len(body.Events))
	fault, after := v.fault, v.after
	v.mu.Unlock()
	if fault != nil && fault(n, w) || v.failsOn(body.Events, w) {
		return
	}
	answer := wire{Note: "mail ann@example.com, key " + secret, Say: make(map[string]string)}
	v.mu.Lock()
	for _, id := range body.Events {
		if v.say != nil {
			if word := v.say(id); word != "" {
				answer.Say[id] = word
				continue
			}
		}
		v.log = append(v.log, id)
	}
	v.mu.Unlock()
	if after != nil {
		after(n)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (v *vendor) failsOn(ids []string, w http.ResponseWriter) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fails == nil || !slices.ContainsFunc(ids, v.fails) {
		return false
	}
	v.failed = append(v.failed, ids)
	w.WriteHeader(http.StatusInternalServerError)
	return true
}

// taken counts how often each event was taken.
func (v *vendor) taken() map[string]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	counts := make(map[string]int)
	for _, id := range v.log {
		counts[id]++
	}
	return counts
}

func (v *vendor) asked() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests
}

func (v *vendor) set(fault func(n int, w http.ResponseWriter) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fault = fault
}

// wireless carries requests to a handler in memory, so that time can be fake.
type wireless struct {
	handler http.Handler
	refuse  func() bool // no connection
	lose    func() bool // the answer gets lost
}

func (m *wireless) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.refuse != nil && m.refuse() {
		return nil, &netError{syscall.ECONNREFUSED}
	}
	trace := httptrace.ContextClientTrace(req.Context())
	trace.GotConn(httptrace.GotConnInfo{})
	trace.WroteHeaders()
	body, err := io.ReadAll(req.Body)
	trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	if err != nil {
		return nil, err
	}
	copied := req.Clone(req.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	m.handler.ServeHTTP(answer, copied)
	if m.lose != nil && m.lose() {
		return nil, &netError{syscall.ECONNRESET}
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

type netError struct{ error }

func (e *netError) Unwrap() error { return e.error }

// tracer is a plan: the record's data is the event's name.
type tracer struct{ version string }

func (p *tracer) PlanVersion() string { return p.version }

func (p *tracer) Trace(rec *event.Record, _ string, into *event.Event) event.Decision {
	name := string(rec.Data)
	decision := event.Decision{Name: name}
	switch {
	case strings.HasPrefix(name, "unplanned"):
		decision.Outcome, decision.Reason = event.Filtered, "event not in plan"
		return decision
	case name == "malformed":
		return event.Decision{Outcome: event.Rejected, Reason: "malformed"}
	case strings.Contains(name, "@"):
		decision.Findings = []event.Finding{{Property: "properties.note", Kind: "email"}}
	}
	*into = event.Event{Receipt: rec.Receipt, EventID: rec.EventID, Name: name, Time: rec.ReceivedAt, ReceivedAt: rec.ReceivedAt}
	if name == "old" {
		into.Time = rec.ReceivedAt.Add(-100 * time.Hour)
	}
	return decision
}

// recorder keeps incidents.
type recorder struct {
	mu   sync.Mutex
	list []fault.Incident
}

func (r *recorder) Report(i fault.Incident) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, i)
}

func (r *recorder) classes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, i := range r.list {
		list = append(list, i.Class)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, i := range r.list {
		fmt.Fprintf(&b, "%+v %s %s\n", i, i.RequestBody, i.ResponseBody)
	}
	return b.String()
}
