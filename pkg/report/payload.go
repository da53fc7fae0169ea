package report

import (
	"net/http"
	"path"
	"runtime"
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

const maxFrames = 32

// frame is one call of a stack. File is the import path and the file's name, as
// with -trimpath, without the directories of the machine that built the program.
type frame struct {
	Package  string
	Function string
	File     string
	Line     int
}

// callers is the stack above the function that calls it, the innermost call first.
func callers() []frame {
	pcs := make([]uintptr, maxFrames)
	pcs = pcs[:runtime.Callers(3, pcs)]
	frames := runtime.CallersFrames(pcs)
	stack := make([]frame, 0, len(pcs))
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			stack = append(stack, newFrame(f))
		}
		if !more {
			return stack
		}
	}
}

func newFrame(f runtime.Frame) frame {
	// "example.com/m/pkg.(*T).Method": the package ends at the first dot after the last slash.
	slash := strings.LastIndexByte(f.Function, '/') + 1
	pkg, function, found := strings.Cut(f.Function[slash:], ".")
	if !found {
		pkg, function = "", f.Function
	}
	pkg = f.Function[:slash] + pkg
	return frame{Package: pkg, Function: function, File: path.Join(pkg, path.Base(strings.ReplaceAll(f.File, `\`, "/"))), Line: f.Line}
}
