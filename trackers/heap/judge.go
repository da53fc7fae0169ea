package heap

import (
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

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
