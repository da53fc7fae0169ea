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
func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	verdicts := tracker.JudgeStatus(req, resp, true)
	if resp.Reach != tracker.Answered || resp.Status != http.StatusTooManyRequests {
		return verdicts
	}
	for i := range verdicts {
		if verdicts[i].After == 0 {
			verdicts[i].After = throttled
		}
	}
	return verdicts
}
