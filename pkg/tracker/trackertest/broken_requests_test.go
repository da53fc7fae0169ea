package trackertest_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// brokenRequests are trackers that translate wrongly, by the clause that each must
// fail.
func brokenRequests() map[string]map[string]func(*twin) {
	return map[string]map[string]func(*twin){
		"golden requests": {
			"another field": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Body = bytes.Replace(req[i].Body, []byte(`"id"`), []byte(`"ID"`), 1)
				}
				return req, rej
			}),
		},
		"what goes before is of the same events": {
			"other events": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					first := req[i]
					first.Events = []int{req[i].Events[0] + 1}
					req[i].Before = &first
				}
				return req, rej
			}),
			"a chain of them": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					first, second := req[i], req[i]
					second.Before = &first
					req[i].Before = &second
				}
				return req, rej
			}),
		},
		"requests are complete": {
			"plain http": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].URL = "http://acme.example.com/"
				}
				return req, rej
			}),
			"a name twice": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Body = bytes.Replace(req[i].Body, []byte(`"id"`), []byte(`"id":"","id"`), 1)
				}
				return req, rej
			}),
			"not in UTF-8": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Body = bytes.Replace(req[i].Body, []byte(`"id"`), []byte("\"\xff\":0,\"id\""), 1)
				}
				return req, rej
			}),
			"half a body": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Body = req[i].Body[:len(req[i].Body)-1]
				}
				return req, rej
			}),
		},
		"each event in exactly one place": {
			"the last event is lost": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				if n := len(req) - 1; n > 0 {
					req[n].Events = req[n].Events[:len(req[n].Events)-1]
				}
				return req, rej
			}),
			"an event is sent and rejected": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				if len(req) > 0 {
					rej = append(rej, tracker.Rejection{Event: req[0].Events[0], Reason: "twice"})
				}
				return req, rej
			}),
			"no reason": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range rej {
					rej[i].Reason = ""
				}
				return req, rej
			}),
			"backwards": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					slices.Reverse(req[i].Events)
				}
				return req, rej
			}),
		},
		"empty batch": {
			"a request of nothing": func(w *twin) {
				w.requests = func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
					if len(batch) == 0 {
						return []tracker.Request{{Method: "POST"}}, nil
					}
					return translate(a, batch)
				}
			},
		},
		"limits hold": {
			"eleven events": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				if len(req) > 1 {
					req[0].Events = append(req[0].Events, req[1].Events...)
					req = slices.Delete(req, 1, 2)
				}
				return req, rej
			}),
			"too many bytes": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Body = append(req[i].Body, bytes.Repeat([]byte(" "), 100_000)...)
				}
				return req, rej
			}),
		},
		"encoding is deterministic": {
			"a counter in the body": changed(func(a *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Body = fmt.Appendf(req[i].Body, " %d", a.calls.Add(1))
				}
				return req, rej
			}),
		},
		"requests are independent": {
			"one header for all": changed(func(a *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Header = a.shared
				}
				return req, rej
			}),
		},
		"input is not changed": {
			"an event is renamed": func(w *twin) {
				w.requests = func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
					req, rej := translate(a, batch)
					if len(batch) > 0 {
						batch[0].Name = "renamed"
					}
					return req, rej
				}
			},
			"properties are sorted in place": func(w *twin) {
				w.requests = func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
					for i := range batch {
						tracker.SortUnique(batch[i].Properties)
					}
					return translate(a, batch)
				}
			},
			"the request is changed": func(w *twin) {
				w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
					req.Header.Set("X-Judged", "yes")
					return judge(req, resp)
				}
			},
		},
		"masked requests show no secret": {
			"the token in the path": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].URL = "https://acme.example.com/" + secret
				}
				return req, rej
			}),
			"secrets unnamed": func(w *twin) { w.traits = func(t *tracker.Traits) { t.Secrets = nil } },
		},
		"reasons show no values": {
			"a rejection with the event's id": func(w *twin) {
				w.requests = func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
					req, rej := translate(a, batch)
					for i := range rej {
						rej[i].Reason = "bad event " + batch[rej[i].Event].EventID
					}
					return req, rej
				}
			},
			"a rejection with the token": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range rej {
					rej[i].Reason = "refused for " + secret
				}
				return req, rej
			}),
		},
		"safe for concurrent use": {
			"two at once disturb each other": changed(func(a *acme, req requests, rej rejections) (requests, rejections) {
				if len(req) > 0 && a.together() {
					req[0].Body = append(req[0].Body, ' ')
				}
				return req, rej
			}),
		},
	}
}
