package ga4

import "github.com/sparrow-edge/sparrow/pkg/tracker"

// The reasons of a delivered event: Google answers 2xx whenever it received the
// request, whatever is in it.
const (
	validated   = "validated"
	unvalidated = "unvalidated"
)

// Judge reads an answer by its status. Google has no way to drop a repeat: an
// event whose request was written and not answered is uncertain. An answer of the
// validation endpoint is read by judgeValidation.
func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	if req.URL == t.validate() {
		return tracker.Same(len(req.Events), judgeValidation(resp))
	}
	verdicts := tracker.JudgeStatus(req, resp, false)
	for i := range verdicts {
		if verdicts[i].Action == tracker.Deliver {
			verdicts[i].Reason = unvalidated
		}
	}
	return verdicts
}
