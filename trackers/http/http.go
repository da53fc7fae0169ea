package http

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Kind is `kind: http`.
func Kind() tracker.Kind {
	defaults := Config{
		Method: http.MethodPost, Linger: time.Second, Batch: Batch{MaxBytes: 1 << 20}, HMAC: HMAC{Header: "X-Signature", Encoding: "hex"},
	}
	return tracker.Define("http", "Any vendor that takes JSON, or a webhook: a URL and a jq program", defaults, build)
}

func build(c Config) (tracker.Tracker, tracker.Traits, error) {
	target, base, err := c.check()
	if err != nil {
		return nil, tracker.Traits{}, err
	}
	t := &translator{method: c.Method, dedup: c.Dedup, maxEvents: max(c.Batch.MaxEvents, 1), maxBytes: int(c.Batch.MaxBytes), target: func() string { return target }}
	secrets, err := t.prepare(c)
	if err != nil {
		return nil, tracker.Traits{}, err
	}
	traits := tracker.Traits{
		MaxBatch: t.maxEvents, Linger: c.Linger, Concurrency: concurrency, Dedup: c.Dedup, MaxEventAge: c.Window,
		Secrets: secrets, Unencrypted: tracker.Unencrypted(base),
	}
	if c.Batch.MaxEvents == 0 {
		traits.MaxBatch, traits.Linger = singleBatch, 0
	}
	return t, traits, nil
}

// translator is the tracker. What holds secrets is behind functions, which print
// as addresses.
type translator struct {
	method              string
	target              func() string
	header              func() http.Header
	sign                func(header http.Header, body []byte, newest int64)
	frame               func() (head, tail string)
	event               *program
	answers             []rule
	maxEvents, maxBytes int
	dedup               bool
}

// prepare compiles the programs and makes ready what each request carries. It
// returns the credentials.
func (t *translator) prepare(c Config) ([]tracker.Secret, error) {
	env, err := environmentOf(c.Secrets)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(c.Event) == "" {
		return nil, errors.New("event: required; it is the jq program that makes the vendor's event, such as { name: .event, id: .eventId }")
	}
	if t.event, err = compile("event", c.Event, env); err != nil {
		return nil, err
	}
	head, tail, err := envelope(c.Batch, env)
	if err != nil {
		return nil, err
	}
	t.frame = func() (string, string) { return head, tail }
	if t.answers, err = compileAnswers(c.Answers, env); err != nil {
		return nil, err
	}
	header, credentials := headerOf(c)
	t.header = header.Clone
	t.sign = signer(c.HMAC)
	secrets := append(credentials, c.HMAC.Secret)
	for _, list := range []map[string]tracker.Secret{c.SecretHeaders, c.Query, c.Secrets} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			secrets = append(secrets, list[name])
		}
	}
	return slices.DeleteFunc(secrets, func(s tracker.Secret) bool { return s == "" }), nil
}

// environmentOf makes variables of the configured secrets.
func environmentOf(secrets map[string]tracker.Secret) (environment, error) {
	var env environment
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if !variableName.MatchString(name) || name == "ENV" || name == "status" || strings.HasPrefix(name, "__") {
			return env, fmt.Errorf("secrets: %q cannot be a variable of a program; use letters, digits and _, beginning with a letter", name)
		}
		env.names = append(env.names, "$"+name)
		env.values = append(env.values, secrets[name].Reveal())
	}
	return env, nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][0-9A-Za-z_]*$`)

// Requests runs the event program on each event and packs what it gives.
func (t *translator) Requests(batch []event.Event) ([]tracker.Request, []tracker.Rejection) {
	head, tail := t.frame()
	var (
		rejections []tracker.Rejection
		buffer     []byte
		packer     = tracker.Packer{Head: head, Tail: tail, MaxEvents: t.maxEvents, MaxBytes: t.maxBytes, Seal: func(events []int, body []byte) tracker.Request {
			return t.seal(batch, events, body)
		}}
	)
	for i := range batch {
		encoded, refused := t.encode(buffer[:0], &batch[i])
		buffer = encoded
		if refused.Reason == "" && !packer.Add(i, encoded) {
			refused.Reason = "event: larger than a whole request may be"
		}
		if refused.Reason != "" {
			refused.Event = i
			rejections = append(rejections, refused)
		}
	}
	return packer.Requests(), rejections
}

// encode is one event's JSON, or why there is none.
func (t *translator) encode(b []byte, e *event.Event) ([]byte, tracker.Rejection) {
	values, err := t.event.values(input(e), eventSteps, 1)
	switch {
	case err != nil:
		return b, tracker.Rejection{Reason: t.event.reason(err)}
	case len(values) == 0:
		return b, tracker.Rejection{Reason: "left out by the program", Skip: true}
	}
	b, err = appendValue(b, values[0], t.maxBytes, 0)
	if err != nil {
		return b, tracker.Rejection{Reason: "event: " + err.Error()}
	}
	return b, tracker.Rejection{}
}

func (t *translator) seal(batch []event.Event, events []int, body []byte) tracker.Request {
	header := t.header()
	var newest int64
	for _, i := range events {
		newest = max(newest, batch[i].ReceivedAt.Unix())
	}
	t.sign(header, body, newest)
	return tracker.Request{Events: events, Method: t.method, URL: t.target(), Header: header, Body: body}
}

// headerOf is what every request carries, and the credentials in it that no
// other key holds in that form.
func headerOf(c Config) (http.Header, []tracker.Secret) {
	header := http.Header{"Content-Type": {"application/json"}}
	for name, value := range c.Headers {
		header.Set(name, value)
	}
	for name, value := range c.SecretHeaders {
		header.Set(name, value.Reveal())
	}
	if c.BasicAuth == (BasicAuth{}) {
		return header, nil
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(c.BasicAuth.User.Reveal() + ":" + c.BasicAuth.Password.Reveal()))
	header.Set("Authorization", "Basic "+encoded)
	return header, []tracker.Secret{c.BasicAuth.User, c.BasicAuth.Password, tracker.Secret(encoded)}
}

// signer signs a body into its headers; newest is the receipt of its newest
// event, in seconds since 1970.
func signer(c HMAC) func(header http.Header, body []byte, newest int64) {
	if c.Secret == "" {
		return func(http.Header, []byte, int64) {}
	}
	key := []byte(c.Secret.Reveal())
	return func(header http.Header, body []byte, newest int64) {
		mac := hmac.New(sha256.New, key)
		if c.Timestamp != "" {
			at := strconv.FormatInt(newest, 10)
			header.Set(c.Timestamp, at)
			mac.Write([]byte(at + ".")) // a hash's Write never fails
		}
		mac.Write(body)
		signature := hex.EncodeToString(mac.Sum(nil))
		if c.Encoding == "base64" {
			signature = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		}
		header.Set(c.Header, c.Prefix+signature)
	}
}
