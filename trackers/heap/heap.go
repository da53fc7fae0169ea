package heap

import (
	"net/http"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Kind is `kind: heap`.
func Kind() tracker.Kind {
	return tracker.Define("heap", "Heap, server-side bulk track", Config{Region: "us", Anonymous: anonymousSkip, BatchSize: defaultEvents, Rate: defaultRate}, build)
}

func build(c Config) (tracker.Tracker, tracker.Traits, error) {
	base, err := c.check()
	t := &translator{
		config: c,
		base:   base,
		url:    base + trackPath,
		head:   `{"app_id":"` + c.AppID + `","events":[`,
	}
	return t, tracker.Traits{
		MaxBatch:    c.BatchSize,
		Linger:      5 * time.Second,
		Concurrency: 3,
		Dedup:       true,
		Rate:        min(float64(c.Rate), float64(maxMinute-c.BatchSize)/60), // a burst and a minute at the rate are a minute's events
		Burst:       c.BatchSize,
		Unencrypted: tracker.Unencrypted(base),

		IdentityRate: identityRate,
		Identity:     t.identityOf,
	}, err
}

// The paths of Heap's server-side API.
const (
	trackPath      = "/api/track"
	propertiesPath = "/api/add_user_properties"
	identifyPath   = "/api/v1/identify"
)

// translator is the tracker. It holds no secret: Heap has none for sending.
type translator struct {
	config          Config
	base, url, head string
}

// Requests packs the batch into bulk calls, in order. What Heap must know of the
// users of a call goes before it: their properties, or who the visitor is.
func (t *translator) Requests(batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	var (
		rejections []tracker.Rejection
		enc        encoder
		packer     = tracker.Packer{Head: t.head, Tail: "]}", MaxEvents: t.config.BatchSize, MaxBytes: maxBytes}
		introduced []tracker.Request
	)
	packer.Seal = func(events []int, body []byte) tracker.Request {
		req := t.request(t.url, events, body)
		req.Before = t.userProperties(batch, events)
		return req
	}
	for i := range batch {
		who, refused := t.identify(&batch[i])
		if refused.Reason == "" {
			refused.Reason = enc.encode(&batch[i], who, t.config.HeapUserID)
		}
		switch visitor := t.visitor(&batch[i]); {
		case refused.Reason != "":
		case who.member == "identity" && visitor != "" && strings.TrimSpace(batch[i].Name) == t.config.Identify:
			introduced = append(introduced, t.introduce(i, enc.event, who.value, visitor))
		case !packer.Add(i, enc.event):
			refused.Reason = "event: over 500 kB as JSON"
		}
		if refused.Reason != "" {
			refused.Event = i
			rejections = append(rejections, refused)
		}
	}
	return append(packer.Requests(), introduced...), rejections
}

func (t *translator) request(url string, events []int, body []byte) tracker.Request {
	req := tracker.PostJSON(url, events, body)
	req.Header.Set("Accept", "application/json")
	return req
}

// throttled is the wait after a 429 without Retry-After.
const throttled = 30 * time.Second

// Judge interprets a response by its status: Heap documents no bodies. A refused bulk
// call does not say which event is wrong, so it is halved until that event is alone.
// If Heap had stored some of them, idempotency_key makes the repeat harmless. If Heap
// refuses the properties of a user, the user's events are sent all the same.
func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	verdicts := tracker.JudgeStatus(req, resp, true)
	about := req.URL != t.url
	for i := range verdicts {
		v := &verdicts[i]
		switch {
		case resp.Reach != tracker.Answered:
		case resp.Status == http.StatusTooManyRequests && v.After == 0:
			v.After = throttled
		case about && v.Action == tracker.Reject:
			*v = tracker.Verdict{Action: tracker.Deliver, Reason: "Heap refused what the event says of its user"}
		}
	}
	return verdicts
}
