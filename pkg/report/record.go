package report

import (
	"net/http"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const maxReceipts = 10

// record is what is told of one incident, or of the rest of a group's minute.
// It is queued as observed and cleaned by the worker, before any sink sees it.
type record struct {
	group       key
	message     string
	time        time.Time
	receipts    []string
	attempt     int
	fingerprint []string
	stack       []frame

	method         string
	url            string
	requestHeader  http.Header
	requestBody    []byte
	status         int
	responseHeader http.Header
	responseBody   []byte

	summary *summary // nil for an incident in full
}

// summary stands for the incidents of a group's minute.
type summary struct {
	count               uint64 // all of them
	shown               uint64 // of these, reported in full
	firstReceipt        string
	lastReceipt         string
	firstTime, lastTime time.Time
}

// newRecord copies what it keeps of an incident: at most room bytes of each
// body, so that a queue of records has a bound.
func newRecord(i fault.Incident, g key, fingerprint []string, room int) *record {
	message := ""
	if i.Err != nil {
		message = i.Err.Error()
	}
	return &record{
		group: g, message: message, time: i.Time, attempt: i.Attempt, fingerprint: fingerprint,
		receipts: slices.Clone(i.Receipts[:min(len(i.Receipts), maxReceipts)]),
		method:   i.Method, url: i.URL, status: i.Status,
		requestHeader: allowed(i.RequestHeader), requestBody: slices.Clone(i.RequestBody[:min(len(i.RequestBody), room)]),
		responseHeader: allowed(i.ResponseHeader), responseBody: slices.Clone(i.ResponseBody[:min(len(i.ResponseBody), room)]),
	}
}

// allowed copies the headers that may leave.
func allowed(h http.Header) http.Header {
	var kept http.Header
	for _, name := range allowedHeaders {
		if values := h.Values(name); len(values) > 0 {
			if kept == nil {
				kept = make(http.Header)
			}
			kept[name] = slices.Clone(values)
		}
	}
	return kept
}

// report is a record as it may leave the process: scrubbed and cut.
type report struct {
	Component, Tracker, Class string
	Message                   string
	Time                      time.Time
	Receipts                  []string
	Attempt                   int
	Fingerprint               []string
	Stack                     []frame

	Exchange                        bool // the fields below say something
	Method, URL                     string
	RequestHeaders, ResponseHeaders map[string]string
	RequestBody, ResponseBody       string
	Status                          int

	Summary *summary
}

// clean makes a record fit to leave. Every string of it goes through the
// scrubber.
func (s *scrubber) clean(r *record) report {
	out := report{
		Component: s.text(r.group.component, maxValue), Tracker: s.text(r.group.tracker, maxValue), Class: s.text(r.group.class, maxValue),
		Message: s.text(r.message, maxMessage), Time: r.time, Attempt: r.attempt,
		Exchange: r.method != "" || r.url != "" || r.status != 0,
		Method:   s.text(r.method, maxValue), URL: s.url(r.url), Status: r.status,
		RequestHeaders: s.headers(r.requestHeader), ResponseHeaders: s.headers(r.responseHeader),
		RequestBody: s.text(string(r.requestBody), maxBody), ResponseBody: s.text(string(r.responseBody), maxBody),
	}
	for _, receipt := range r.receipts {
		out.Receipts = append(out.Receipts, s.text(receipt, maxValue))
	}
	for _, part := range r.fingerprint {
		out.Fingerprint = append(out.Fingerprint, s.text(part, maxValue))
	}
	for _, f := range r.stack {
		f.Function, f.File = s.text(f.Function, maxValue), s.text(f.File, maxValue)
		out.Stack = append(out.Stack, f)
	}
	if r.summary != nil {
		sum := *r.summary
		sum.firstReceipt, sum.lastReceipt = s.text(sum.firstReceipt, maxValue), s.text(sum.lastReceipt, maxValue)
		out.Summary = &sum
	}
	return out
}
