package report

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const maxReceipts = 10

// payload is what is reported of one incident, or of the suppressed ones of a
// group. It is queued as it was observed. The worker scrubs it before a sink sees it.
type payload struct {
	group       key
	fingerprint []string // Sentry groups events by it
	message     string
	time        time.Time
	attempt     int
	receipts    []string
	stack       []frame
	request     message
	response    message
	method, url string
	status      int

	summary *summary // nil for an incident that is reported in full
}

// message is a request to a vendor or warehouse, or its response.
type message struct {
	headers map[string]string // values of one name are joined by ", "
	body    string
}

// scrubbed is a payload that may leave the process: without secrets, and cut to
// the limits.
type scrubbed payload

// summary is about all incidents of a group in one minute.
type summary struct {
	count       uint64 // all of them
	shown       uint64 // those that were reported in full
	first, last occurrence
}

// newPayload copies what is reported of an incident: at most maxBytes of each body,
// so that the queue has a bound. group is the one that counts it.
func newPayload(i fault.Incident, group key, maxBytes int) *payload {
	p := &payload{
		group: keyOf(i), fingerprint: group.fingerprint(), time: i.Time, attempt: i.Attempt,
		receipts: slices.Clone(i.Receipts[:min(len(i.Receipts), maxReceipts)]),
		method:   i.Method, url: i.URL, status: i.Status,
		request:  newMessage(i.RequestHeader, i.RequestBody, maxBytes),
		response: newMessage(i.ResponseHeader, i.ResponseBody, maxBytes),
	}
	if i.Err != nil {
		p.message = i.Err.Error()
	}
	return p
}

// newMessage copies the allowed headers and the beginning of a body.
func newMessage(h http.Header, body []byte, maxBytes int) message {
	m := message{headers: make(map[string]string), body: string(body[:min(len(body), maxBytes)])}
	for _, name := range allowedHeaders {
		if values := h.Values(name); len(values) > 0 {
			m.headers[name] = strings.Join(values, ", ")
		}
	}
	return m
}

// roundTrip reports whether the incident was a request to a vendor or warehouse.
func (p *scrubbed) roundTrip() bool { return p.method != "" || p.url != "" || p.status != 0 }

// scrub returns the payload as it may leave. Every string of it passes through
// the scrubber.
func (s *scrubber) scrub(p payload) *scrubbed {
	p.group = key{s.text(p.group.component, maxValue), s.text(p.group.tracker, maxValue), s.text(p.group.class, maxValue)}
	p.fingerprint, p.receipts = s.texts(p.fingerprint), s.texts(p.receipts)
	p.message = s.text(p.message, maxMessage)
	p.method, p.url = s.text(p.method, maxValue), s.url(p.url)
	p.request, p.response = s.message(p.request), s.message(p.response)
	p.stack = slices.Clone(p.stack)
	for i, f := range p.stack {
		p.stack[i].Function, p.stack[i].File = s.text(f.Function, maxValue), s.text(f.File, maxValue)
	}
	if p.summary != nil {
		sum := *p.summary
		sum.first.receipt, sum.last.receipt = s.text(sum.first.receipt, maxValue), s.text(sum.last.receipt, maxValue)
		p.summary = &sum
	}
	out := scrubbed(p)
	return &out
}

func (s *scrubber) message(m message) message {
	headers := make(map[string]string, len(m.headers))
	for name, value := range m.headers {
		headers[name] = s.text(value, maxValue)
	}
	return message{headers: headers, body: s.text(m.body, maxBody)}
}

func (s *scrubber) texts(list []string) []string {
	var out []string
	for _, v := range list {
		out = append(out, s.text(v, maxValue))
	}
	return out
}
