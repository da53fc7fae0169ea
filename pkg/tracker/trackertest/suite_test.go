package trackertest_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

const secret = "not-a-real-token"

// config is what the sound tracker below takes.
type config struct {
	Token    tracker.Secret `yaml:"token"`
	BaseURL  string         `yaml:"baseURL"`
	Insecure bool           `yaml:"insecure"`
}

// acme is a small sound tracker. A test breaks one part of it.
type acme struct {
	head func() string

	requests func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection)
	judge    func(req tracker.Request, resp tracker.Response) []tracker.Verdict
	shared   http.Header
	calls    atomic.Int64
	within   atomic.Int64
}

func (a *acme) Requests(batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	return a.requests(a, batch)
}

func (a *acme) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	return a.judge(req, resp)
}

func translate(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	var rejections []tracker.Rejection
	packer := tracker.Packer{Head: a.head(), Tail: "]}", MaxEvents: 10, MaxBytes: 100_000, Seal: func(events []int, body []byte) tracker.Request {
		return tracker.Request{
			Events: events, Method: http.MethodPost, URL: "https://acme.example.com/events?key=" + secret,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: body,
		}
	}}
	for i := range batch {
		b := tracker.AppendMember([]byte{'{'}, "id", batch[i].EventID)
		b = event.AppendObject(tracker.AppendName(b, "properties"), batch[i].Properties)
		if batch[i].DeviceID == "" {
			rejections = append(rejections, tracker.Rejection{Event: i, Reason: "deviceId: required"})
		} else if !packer.Add(i, append(b, '}')) {
			rejections = append(rejections, tracker.Rejection{Event: i, Reason: "event: too large"})
		}
	}
	return packer.Requests(), rejections
}

func judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	return tracker.JudgeStatus(req, resp, true)
}

// twin is the sound tracker with something broken.
type twin struct {
	decode   func(decode func(any) error, into any) error
	check    func(config) error
	traits   func(*tracker.Traits)
	shown    bool // the token is where fmt finds it
	requests func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection)
	judge    func(req tracker.Request, resp tracker.Response) []tracker.Verdict
}

type shownToken struct {
	*acme
	token string
}

func check(c config) error {
	if c.Token == "" {
		return errors.New("token: required")
	}
	if c.BaseURL == "" {
		return nil
	}
	_, err := tracker.CheckBaseURL(c.BaseURL, c.Insecure)
	return err
}

func (w twin) kind() tracker.Kind {
	return tracker.Kind{Name: "acme", Build: func(decode func(any) error) (tracker.Tracker, tracker.Traits, error) {
		var c config
		if err := w.decode(decode, &c); err != nil {
			return nil, tracker.Traits{}, err
		}
		if err := w.check(c); err != nil {
			return nil, tracker.Traits{}, err
		}
		head := `{"token":"` + c.Token.Reveal() + `","events":[`
		a := &acme{head: func() string { return head }, requests: w.requests, judge: w.judge, shared: http.Header{"Content-Type": {"application/json"}}}
		traits := tracker.Traits{MaxBatch: 50, Concurrency: 1, Dedup: true, Secrets: []tracker.Secret{c.Token}}
		w.traits(&traits)
		if w.shown {
			return shownToken{a, c.Token.Reveal()}, traits, nil
		}
		return a, traits, nil
	}}
}

func sound() twin {
	return twin{
		decode: func(decode func(any) error, into any) error { return decode(into) },
		check:  check, traits: func(*tracker.Traits) {}, requests: translate, judge: judge,
	}
}

func spec(t *testing.T, w twin) trackertest.Spec {
	t.Helper()
	return trackertest.Spec{
		Kind: w.kind(), Config: "token: " + secret, Secrets: []string{secret},
		Refused:   []trackertest.Refused{{Config: "baseURL: https://acme.example.com", Key: "token"}},
		MaxEvents: 10, MaxBytes: 100_000, Golden: "testdata/golden",
	}
}

// changed lets the sound tracker translate, and then breaks what it made.
func changed(change func(a *acme, requests []tracker.Request, rejections []tracker.Rejection) ([]tracker.Request, []tracker.Rejection)) func(*twin) {
	return func(w *twin) {
		w.requests = func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
			requests, rejections := translate(a, batch)
			return change(a, requests, rejections)
		}
	}
}

// judged lets the sound tracker judge, and then breaks the verdicts.
func judged(change func(resp tracker.Response, v *tracker.Verdict)) func(*twin) {
	return func(w *twin) {
		w.judge = func(req tracker.Request, resp tracker.Response) []tracker.Verdict {
			verdicts := judge(req, resp)
			for i := range verdicts {
				change(resp, &verdicts[i])
			}
			return verdicts
		}
	}
}

// together reports whether another call is under way, waiting a little for one.
func (a *acme) together() bool {
	a.within.Add(1)
	defer a.within.Add(-1)
	for deadline := time.Now().Add(20 * time.Millisecond); time.Now().Before(deadline); {
		if a.within.Load() > 1 {
			return true
		}
	}
	return false
}

type (
	requests   = []tracker.Request
	rejections = []tracker.Rejection
)

// broken is at least one tracker for each clause that must fail by it.
func broken() map[string]map[string]func(*twin) {
	return map[string]map[string]func(*twin){
		"configuration is strict": {
			"unknown keys are ignored": func(w *twin) {
				w.decode = func(decode func(any) error, into any) error {
					if err := decode(into); err != nil && !strings.Contains(err.Error(), "noSuchKey") {
						return err
					}
					into.(*config).Token = secret
					return nil
				}
			},
			"the base URL is not checked": func(w *twin) {
				w.check = func(c config) error { c.BaseURL = ""; return check(c) }
			},
			"the error names no key": func(w *twin) {
				w.check = func(c config) error {
					if check(c) != nil {
						return errors.New("invalid configuration")
					}
					return nil
				}
			},
		},
		"errors show no secret": {
			"an error quotes the token": func(w *twin) {
				w.check = func(c config) error {
					if err := check(c); err != nil {
						return fmt.Errorf("%s: %w", c.Token.Reveal(), err)
					}
					return nil
				}
			},
			"the tracker prints its token": func(w *twin) { w.shown = true },
		},
		"traits make sense": {
			"no batch":        func(w *twin) { w.traits = func(t *tracker.Traits) { t.MaxBatch = 0 } },
			"no concurrency":  func(w *twin) { w.traits = func(t *tracker.Traits) { t.Concurrency = 0 } },
			"a rate no burst": func(w *twin) { w.traits = func(t *tracker.Traits) { t.Rate = 5 } },
			"secrets unnamed": func(w *twin) { w.traits = func(t *tracker.Traits) { t.Secrets = nil } },
		},
		"golden requests": {
			"another field": changed(func(_ *acme, req requests, rej rejections) (requests, rejections) {
				for i := range req {
					req[i].Body = bytes.Replace(req[i].Body, []byte(`"id"`), []byte(`"ID"`), 1)
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

func TestTheSoundTrackerPasses(t *testing.T) {
	if faults := trackertest.Faults(spec(t, sound())); len(faults) > 0 {
		t.Errorf("%v", faults)
	}
	trackertest.Run(t, spec(t, sound()))
}

func TestEachBrokenTrackerFailsItsClause(t *testing.T) {
	for clause, twins := range broken() {
		for name, breakIt := range twins {
			t.Run(clause+"/"+name, func(t *testing.T) {
				w := sound()
				breakIt(&w)
				if faults := trackertest.FaultsOf(spec(t, w), clause); len(faults) == 0 {
					t.Error("the clause holds")
				}
			})
		}
	}
}

func TestEveryClauseHasABrokenTracker(t *testing.T) {
	twins := broken()
	for _, name := range trackertest.Clauses() {
		if len(twins[name]) == 0 {
			t.Errorf("no tracker is broken for the clause %q", name)
		}
	}
}

func TestUpdateWritesWhatIsComparedLater(t *testing.T) {
	s := spec(t, sound())
	s.Golden = t.TempDir()
	if faults := trackertest.FaultsOf(s, "golden requests"); len(faults) == 0 {
		t.Error("missing golden files are no fault")
	}
	s.Update = true
	if faults := trackertest.FaultsOf(s, "golden requests"); len(faults) > 0 {
		t.Errorf("update: %v", faults)
	}
	s.Update = false
	if faults := trackertest.FaultsOf(s, "golden requests"); len(faults) > 0 {
		t.Errorf("after update: %v", faults)
	}
}

func TestEventsAreTheSameForTheSameSeed(t *testing.T) {
	a, b, c := trackertest.Events(1, 50), trackertest.Events(1, 50), trackertest.Events(2, 50)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("the same seed gives different events")
	}
	if fmt.Sprint(a) == fmt.Sprint(c) {
		t.Error("different seeds give the same events")
	}
}
