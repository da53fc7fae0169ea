package tracker

// Packer cuts encoded events into requests, in their order, none over the
// limits. Its zero value lacks limits: set every field, then Add each event and
// take Requests at the end. A Packer serves one call of Requests; it is not
// safe for concurrent use.
type Packer struct {
	Head, Tail string // what a body begins and ends with, around the events: `{"events":[` and `]}`
	MaxEvents  int    // events of one request
	MaxBytes   int    // bytes of one body
	// Seal makes a request of a body. It owns both arguments.
	Seal func(events []int, body []byte) Request

	requests []Request
	events   []int
	body     []byte
}

// Add packs one event: its index in the batch and its JSON, which is copied. It
// returns false when the event is over the limit all by itself; then it is in
// no request.
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

// Requests is everything added so far, as requests.
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
