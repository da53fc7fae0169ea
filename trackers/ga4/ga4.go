package ga4

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// The limits of one request. Google documents less than 130 kB; its Event
// Builder counts 130,000 bytes.
const (
	maxEvents = 25
	maxBytes  = 130_000 - 1
)

// Kind is `kind: ga4`.
func Kind() tracker.Kind {
	return tracker.Define("ga4", "Google Analytics 4, Measurement Protocol", Config{Consent: Consent{AdUserData: "marketing", AdPersonalization: "marketing"}}, build)
}

func build(c Config) (tracker.Tracker, tracker.Traits, error) {
	base, err := c.check()
	collect, validate := c.urls(base)
	secret := c.APISecret
	c.APISecret = "" // what is printed of a translator must not show it
	return &translator{config: c, collect: func() string { return collect }, validate: func() string { return validate }}, tracker.Traits{
		MaxBatch:    200,
		Linger:      time.Second,
		Concurrency: 12, // nearly every request holds one event
		MaxEventAge: window,
		Secrets:     []tracker.Secret{secret},
		Unencrypted: tracker.Unencrypted(base),
	}, err
}

// translator is the tracker.
type translator struct {
	config Config // without the secret
	// The URLs hold the secret: a function prints as an address.
	collect, validate func() string
}

// Requests groups the batch by what stands beside the events of a request:
// whatever differs there, by one byte, is a request of its own.
func (t *translator) Requests(batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	var (
		rejections []tracker.Rejection
		groups     []*tracker.Packer
		byHead     = make(map[string]*tracker.Packer, len(batch))
		enc        encoder
	)
	for i := range batch {
		if rule := enc.encode(&batch[i], &t.config.Location); rule != "" {
			rejections = append(rejections, tracker.Rejection{Event: i, Reason: rule})
			continue
		}
		enc.encodeHead(&batch[i], &t.config)
		validated := t.sampled(&batch[i])
		group := byHead[string(enc.head)]
		if group == nil || validated {
			head := string(enc.head)
			group = &tracker.Packer{Head: head, Tail: "]}", MaxEvents: maxEvents, MaxBytes: maxBytes, Seal: t.seal}
			groups = append(groups, group)
			if validated { // alone in its request, so that a fault that is found is this event's
				group.Seal = t.sealValidated
			} else {
				byHead[head] = group
			}
		}
		if !group.Add(i, enc.event) {
			rejections = append(rejections, tracker.Rejection{Event: i, Reason: "event: 130 kB or more as JSON"})
		}
	}
	var requests []tracker.Request
	for _, group := range groups {
		requests = append(requests, group.Requests()...)
	}
	return requests, rejections
}

func (t *translator) seal(events []int, body []byte) tracker.Request {
	return tracker.PostJSON(t.collect(), events, body)
}

// sealValidated makes a request whose body the validation endpoint gets first.
func (t *translator) sealValidated(events []int, body []byte) tracker.Request {
	request := t.seal(events, body)
	first := t.seal(slices.Clone(events), slices.Clone(body))
	first.URL = t.validate()
	request.Before = &first
	return request
}

// sampled reports whether an event is one of the share that is validated: a
// function of its id, so that a retry or a replay chooses the same.
func (t *translator) sampled(ev *event.Event) bool {
	if t.config.Validate <= 0 || t.config.Validate >= 1 {
		return t.config.Validate >= 1
	}
	sum := sha256.Sum256([]byte(ev.EventID))
	return float64(binary.BigEndian.Uint64(sum[:8]))/math.MaxUint64 < t.config.Validate
}
