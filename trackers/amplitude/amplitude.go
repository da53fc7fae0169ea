package amplitude

import (
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Kind is `kind: amplitude`.
func Kind() tracker.Kind {
	return tracker.Define("amplitude", "Amplitude, HTTP V2 or Batch API", Config{Endpoint: "http", Region: "us"}, build)
}

func build(c Config) (tracker.Tracker, tracker.Traits, error) {
	api, base, err := c.check()
	rate := 0.0
	if c.Plan == planStarter {
		api.events, rate = starterEvents, starterRate
	}
	if c.BatchSize > 0 {
		api.events = c.BatchSize
	}
	head := string(append(tracker.AppendMember([]byte{'{'}, "api_key", c.APIKey.Reveal()), `,"events":[`...))
	return &translator{api: api, forwardIP: c.ForwardIP, identify: strings.TrimSpace(c.Identify), url: base + api.path, head: func() string { return head }}, tracker.Traits{
		MaxBatch:    api.events,
		Linger:      2 * time.Second,
		Concurrency: 3,
		Dedup:       true,
		Rate:        rate,
		Burst:       int(max(rate, float64(api.events))),
		Secrets:     []tracker.Secret{c.APIKey},
		Unencrypted: tracker.Unencrypted(base),
	}, err
}

// tail ends every body: without it, Amplitude removes ids below 5 characters.
const tail = `],"options":{"min_id_length":1}}`

// translator is the tracker.
type translator struct {
	api       api
	forwardIP bool
	identify  string // the event that is sent as $identify; "" is none
	url       string
	head      func() string // how a body begins, which holds the key: a function prints as an address
}

// Requests packs the batch into uploads, in order.
func (t *translator) Requests(batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	var (
		rejections []tracker.Rejection
		enc        = encoder{userAgent: t.api.userAgent, ip: t.forwardIP, identify: t.identify}
		packer     = tracker.Packer{Head: t.head(), Tail: tail, MaxEvents: t.api.events, MaxBytes: t.api.maxBytes, Seal: t.seal}
	)
	for i := range batch {
		rule := enc.encode(&batch[i])
		if rule == "" && !packer.Add(i, enc.event) {
			rule = "event: larger than a whole request may be"
		}
		if rule != "" {
			rejections = append(rejections, tracker.Rejection{Event: i, Reason: rule})
		}
	}
	return packer.Requests(), rejections
}

func (t *translator) seal(events []int, body []byte) tracker.Request {
	req := tracker.PostJSON(t.url, events, body)
	req.Header.Set("Accept", "*/*")
	return req
}
