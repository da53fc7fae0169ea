package heap

import (
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// throttled is how long Heap is left alone after a 429 that does not say.
const throttled = 30 * time.Second

// Judge reads an answer by its status: Heap documents no bodies. A bulk call
// that is refused carries no hint which event is to blame, so it is halved until
// that one is alone; idempotency_key makes it harmless if some had been stored.
// What Heap refuses to know of a user does not hold up his events.
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
