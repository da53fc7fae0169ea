package ga4

import "github.com/sparrow-edge/sparrow/pkg/tracker"

// Judge reads an answer by its status. Google answers 2xx whenever it received
// the request, whatever is in it, so a delivered event is said to be
// unvalidated. It has no way to drop a repeat: an event whose request was
// written and not answered is uncertain.
func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	verdicts := tracker.JudgeStatus(req, resp, false)
	for i := range verdicts {
		if verdicts[i].Action == tracker.Deliver {
			verdicts[i].Reason = "unvalidated"
		}
	}
	return verdicts
}
