package trackertest_test

import (
	"bytes"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// brokenVerdicts are trackers that judge wrongly, by the clause that each must
// fail.
func brokenVerdicts() map[string]map[string]func(*twin) {
	return map[string]map[string]func(*twin){
		"a verdict for each event": {
			"one verdict for all": func(w *twin) {
				w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
					req.Events = req.Events[:min(1, len(req.Events))]
					return judge(req, resp)
				}
			},
			"no action": judged(func(_ tracker.Response, v *tracker.Verdict) { v.Action = 0 }),
			"no reason": judged(func(_ tracker.Response, v *tracker.Verdict) { v.Reason = "" }),
		},
		"every status is judged": {
			"below 400 is fine": judged(func(resp tracker.Response, v *tracker.Verdict) {
				if resp.Reach == tracker.Answered && resp.Status < 400 {
					v.Action = tracker.Deliver
				}
			}),
			"a 503 rejects": judged(func(resp tracker.Response, v *tracker.Verdict) {
				if resp.Status == 503 && resp.Reach == tracker.Answered {
					v.Action = tracker.Reject
				}
			}),
			"a 500 is uncertain": judged(func(resp tracker.Response, v *tracker.Verdict) {
				if resp.Status == 500 && resp.Reach == tracker.Answered {
					v.Action = tracker.Uncertain
				}
			}),
		},
		"taken means delivered": {
			"nothing is ever delivered": judged(func(_ tracker.Response, v *tracker.Verdict) {
				if v.Action == tracker.Deliver {
					*v = tracker.Verdict{Action: tracker.Wait, Reason: "later"}
				}
			}),
		},
		"reach is respected": {
			"the status counts without an answer": func(w *twin) {
				w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
					if resp.Status == 200 {
						resp.Reach = tracker.Answered
					}
					return judge(req, resp)
				}
			},
			"sent again without a dedup key": func(w *twin) { w.traits = func(t *tracker.Traits) { t.Dedup = false } },
			"no connection is uncertain": judged(func(resp tracker.Response, v *tracker.Verdict) {
				if resp.Reach == tracker.NotConnected {
					v.Action = tracker.Uncertain
				}
			}),
		},
		"retry-after is kept": {
			"ignored": judged(func(_ tracker.Response, v *tracker.Verdict) { v.After = 0 }),
			"believed whatever it says": judged(func(resp tracker.Response, v *tracker.Verdict) {
				if resp.Header.Get("Retry-After") == "900000" {
					v.After = 20 * time.Hour
				}
			}),
		},
		"hostile answers": {
			"the vendor's words become the reason": judged(func(resp tracker.Response, v *tracker.Verdict) {
				if v.Action != tracker.Deliver {
					v.Reason = string(resp.Body[:min(len(resp.Body), 150)]) + "."
				}
			}),
			"any answer delivers": judged(func(resp tracker.Response, v *tracker.Verdict) {
				if bytes.Contains(resp.Body, []byte("html")) {
					v.Action = tracker.Deliver
				}
			}),
		},
	}
}
