// Package acme sends events to Acme, an imaginary vendor, by its REST API:
// POST /events with a bearer token, at most 100 events and 256 KiB a request.
// Acme drops repeats by "id". It refuses events without a device.
package acme

import (
	"errors"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Config is what `kind: acme` takes beside the keys that every tracker has.
type Config struct {
	Token   tracker.Secret `yaml:"token"`   // required
	BaseURL string         `yaml:"baseURL"` // for a test server or a proxy
}

// Kind is `kind: acme`.
func Kind() tracker.Kind {
	return tracker.Define("acme", "Acme, REST", Config{BaseURL: "https://api.acme.example"}, build)
}

func build(c Config) (tracker.Tracker, tracker.Traits, error) {
	base, err := tracker.CheckBaseURL(c.BaseURL, false)
	if c.Token == "" {
		err = errors.Join(err, errors.New("token: required; it is on Acme's settings page"))
	}
	traits := tracker.Traits{
		MaxBatch: 100, Linger: time.Second, Concurrency: 2, Dedup: true,
		Secrets: []tracker.Secret{c.Token}, Unencrypted: tracker.Unencrypted(base),
	}
	return vendor{base + "/events", func() string { return "Bearer " + c.Token.Reveal() }}, traits, err
}

type vendor struct {
	url           string
	authorization func() string // fmt would print a field of an unexported name
}

// Requests implements tracker.Tracker.
func (v vendor) Requests(batch []event.Event) (_ []tracker.Request, refused []tracker.Rejection) {
	packer := tracker.Packer{Head: `{"events":[`, Tail: "]}", MaxEvents: 100, MaxBytes: 256 << 10, Seal: v.seal}
	for i := range batch {
		e := &batch[i]
		if e.DeviceID == "" {
			refused = append(refused, tracker.Rejection{Event: i, Reason: "deviceId: required by Acme"})
		} else if !packer.Add(i, encode(e)) {
			refused = append(refused, tracker.Rejection{Event: i, Reason: "event: larger than 256 KiB"})
		}
	}
	return packer.Requests(), refused
}

func encode(e *event.Event) []byte {
	b := tracker.AppendMember([]byte{'{'}, "id", e.EventID)
	b = tracker.AppendMember(b, "name", e.Name)
	b = tracker.AppendMember(b, "device", e.DeviceID)
	b = tracker.AppendMember(b, "user", e.UserID)
	b = tracker.AppendMember(b, "at", e.Time.UTC().Format(time.RFC3339Nano))
	return append(event.AppendObject(tracker.AppendName(b, "properties"), e.Properties), '}')
}

func (v vendor) seal(events []int, body []byte) tracker.Request {
	req := tracker.PostJSON(v.url, events, body)
	req.Header.Set("Authorization", v.authorization())
	return req
}

// Judge implements tracker.Tracker: Acme's answers mean what their status says.
func (v vendor) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	return tracker.JudgeStatus(req, resp, true)
}
