package heap

import (
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Kind is `kind: heap`.
func Kind() tracker.Kind {
	return tracker.Define("heap", "Heap, server-side bulk track", DefaultConfig(), build)
}

func build(c Config) (tracker.Tracker, tracker.Traits, error) {
	if err := c.Check(); err != nil {
		return nil, tracker.Traits{}, err
	}
	base, err := c.endpoint()
	if err != nil {
		return nil, tracker.Traits{}, err
	}
	t := &translator{
		config: c,
		url:    base + "/api/track",
		head:   `{"app_id":"` + c.AppID + `","events":[`,
	}
	return t, tracker.Traits{
		MaxBatch:    c.BatchSize,
		Linger:      5 * time.Second,
		Concurrency: 3,
		Dedup:       true,
		Rate:        float64(c.Rate),
		Burst:       c.BatchSize,
		Unencrypted: tracker.Unencrypted(base),
	}, nil
}

// translator is the tracker. It holds no secret: Heap has none for sending.
type translator struct {
	config    Config
	url, head string
}

// Requests packs the batch into bulk calls, in order.
func (t *translator) Requests(batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	var (
		rejections []tracker.Rejection
		enc        encoder
		packer     = tracker.Packer{Head: t.head, Tail: "]}", MaxEvents: t.config.BatchSize, MaxBytes: maxBytes, Seal: t.seal}
	)
	for i := range batch {
		who, refused := t.identify(&batch[i])
		if refused.Reason == "" {
			refused.Reason = enc.encode(&batch[i], who)
		}
		if refused.Reason == "" && !packer.Add(i, enc.event) {
			refused.Reason = "event: over 500 kB as JSON"
		}
		if refused.Reason != "" {
			refused.Event = i
			rejections = append(rejections, refused)
		}
	}
	return packer.Requests(), rejections
}

func (t *translator) seal(events []int, body []byte) tracker.Request {
	return tracker.Request{
		Events: events,
		Method: http.MethodPost,
		URL:    t.url,
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}},
		Body:   body,
	}
}
