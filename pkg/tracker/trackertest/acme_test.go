package trackertest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
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
	logged   bool // the token is where JSON finds it, and fmt does not
	requests func(a *acme, batch []event.Event) ([]tracker.Request, []tracker.Rejection)
	judge    func(req tracker.Request, resp tracker.Response) []tracker.Verdict
}

type shownToken struct {
	*acme
	token string
}

type loggedToken struct {
	*acme
	Token string
}

// Format hides the token from fmt.
func (loggedToken) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "acme") }

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
		if w.logged {
			return loggedToken{a, c.Token.Reveal()}, traits, nil
		}
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
