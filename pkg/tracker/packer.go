package tracker

import "net/http"

// PostJSON is a POST of a JSON body. It owns events and body.
func PostJSON(url string, events []int, body []byte) Request {
	return Request{
		Events: events, Method: http.MethodPost, URL: url, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// Packer cuts encoded events into requests, in their order, within the limits. Set
// every exported field, Add each event, and call Requests at the end. A Packer is
// for one batch, and not safe for concurrent use.
type Packer struct {
	Head, Tail string // the body before and after the events: `{"events":[` and `]}`
	MaxEvents  int    // of one request
	MaxBytes   int    // of one body
	// Seal makes a request of a body, such as PostJSON. It owns both arguments.
	Seal func(events []int, body []byte) Request

	requests []Request
	events   []int
	body     []byte
}

// Add packs one event: its index in the batch and its JSON, which is copied. It
// returns false if this event alone is over MaxBytes. Then it is in no request.
func (p *Packer) Add(index int, encoded []byte) bool {
	if len(p.Head)+len(encoded)+len(p.Tail) > p.MaxBytes {
		return false
	}
	if len(p.events) == p.MaxEvents || len(p.events) > 0 && len(p.body)+1+len(encoded)+len(p.Tail) > p.MaxBytes {
		p.flush()
	}
	if len(p.events) == 0 {
		p.body = append(p.body, p.Head...)
	} else {
		p.body = append(p.body, ',')
	}
	p.body = append(p.body, encoded...)
	p.events = append(p.events, index)
	return true
}

// Requests returns everything added so far, as requests.
func (p *Packer) Requests() []Request {
	if len(p.events) > 0 {
		p.flush()
	}
	return p.requests
}

func (p *Packer) flush() {
	p.requests = append(p.requests, p.Seal(p.events, append(p.body, p.Tail...)))
	p.events, p.body = nil, nil
}
