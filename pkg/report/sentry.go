package report

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/getsentry/sentry-go"
	"github.com/google/uuid"

	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

const (
	firstPause     = time.Second
	maxPause       = time.Minute
	requestTimeout = 10 * time.Second
)

// Results of sending a payload: the values of the records metric's label, beside
// "logged".
const (
	sent    = "sent"
	limited = "limited" // Sentry asked for a pause, so nothing was sent
	refused = "refused" // any other answer but 2xx
	failed  = "failed"  // no answer
)

// sentrySink sends payloads to Sentry. Those that Sentry does not accept go to the
// log. It is used by one goroutine.
type sentrySink struct {
	config  Config
	release string
	sender  *sentry.HTTPSyncTransport
	base    http.RoundTripper // performs the requests
	log     logSink

	// What became of the last payload. The library does not return it, so RoundTrip
	// records it: if the library sends no request, the result is limited.
	result, why string

	// After a request that failed or was refused, no other is sent before until: a
	// hanging Sentry must not cost its time-out for each payload.
	pause time.Duration
	until time.Time
	state string // the last result, so that a change is logged once
}

// newSentrySink makes a sink that follows no redirects.
func newSentrySink(config Config, options Options, logger *slog.Logger) *sentrySink {
	s := &sentrySink{
		config: config, release: options.Release, sender: sentry.NewHTTPSyncTransport(), base: options.Transport, log: logSink{logger}, state: sent,
	}
	if s.base == nil {
		s.base = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: requestTimeout,
			MaxConnsPerHost:       1,
			IdleConnTimeout:       time.Minute,
		}
	}
	s.sender.Configure(sentry.ClientOptions{Dsn: config.DSN.Reveal(), HTTPClient: &http.Client{
		Transport: s, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	return s
}

func (s *sentrySink) deliver(ctx context.Context, p *scrubbed) string {
	result, why := s.send(ctx, p)
	if result != s.state {
		s.state = result
		s.log.logger.LogAttrs(ctx, slog.LevelWarn, "sentry state changed", slog.String("state", result), slog.String("err", why))
	}
	if result != sent {
		s.log.deliver(ctx, p)
	}
	return result
}

func (s *sentrySink) send(ctx context.Context, p *scrubbed) (result, why string) {
	if err := ctx.Err(); err != nil {
		return failed, err.Error()
	}
	if time.Now().Before(s.until) {
		return s.state, ""
	}
	s.result, s.why = limited, ""
	s.sender.SendEventWithContext(ctx, s.event(p))
	switch s.result {
	case sent, limited: // the library keeps the time Sentry asked for
		s.pause, s.until = 0, time.Time{}
	default:
		s.pause = min(max(2*s.pause, firstPause), maxPause)
		s.until = time.Now().Add(s.pause)
	}
	return s.result, s.why
}

// RoundTrip implements http.RoundTripper.
func (s *sentrySink) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback.IsHost(req.URL.Hostname()) {
		err := errors.New("plain http to a host that is not loopback")
		s.result, s.why = failed, err.Error()
		return nil, err
	}
	resp, err := s.base.RoundTrip(req)
	switch {
	case err != nil:
		s.result, s.why = failed, err.Error()
	case resp.StatusCode == http.StatusTooManyRequests:
		s.result, s.why = limited, resp.Status
	case resp.StatusCode >= 300:
		s.result, s.why = refused, resp.Status
	default:
		s.result, s.why = sent, ""
	}
	return resp, err
}

func (s *sentrySink) close() {
	if idle, ok := s.base.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}

// event converts a payload to Sentry's form.
func (s *sentrySink) event(p *scrubbed) *sentry.Event {
	id := uuid.New()
	e := sentry.NewEvent()
	e.EventID = sentry.EventID(hex.EncodeToString(id[:]))
	e.Timestamp = p.time
	e.Level = sentry.LevelError
	e.Platform = "go"
	e.Logger = "sparrow"
	e.Environment = s.config.Environment
	e.ServerName = s.config.ServerName
	e.Release = s.release
	e.Sdk = sentry.SdkInfo{Name: "sentry.go", Version: sentry.SDKVersion}
	e.Fingerprint = p.fingerprint
	e.Message = p.message
	e.Tags = tags(p)
	if p.summary != nil {
		e.Message = fmt.Sprintf("%s: %d incidents, %d of them in full", title(p), p.summary.count, p.summary.shown)
		e.Contexts["summary"] = summaryContext(p.summary)
		return e
	}
	e.Exception = []sentry.Exception{{Type: title(p), Value: p.message, Stacktrace: stacktrace(p.stack)}}
	e.Contexts["incident"] = sentry.Context{"attempt": p.attempt, "receipts": p.receipts}
	if p.roundTrip() {
		e.Request = &sentry.Request{URL: p.url, Method: p.method, Data: p.request.body, Headers: p.request.headers}
		e.Contexts["response"] = sentry.Context{"status_code": p.status, "headers": p.response.headers, "data": p.response.body}
	}
	return e
}

func summaryContext(s *summary) sentry.Context {
	return sentry.Context{
		"count": s.count, "shown": s.shown, "first_receipt": s.first.receipt, "last_receipt": s.last.receipt,
		"first_at": s.first.time, "last_at": s.last.time,
	}
}

// title is "lane amplitude: http 500".
func title(p *scrubbed) string {
	return strings.TrimSpace(p.group.component+" "+p.group.tracker) + ": " + p.group.class
}

func tags(p *scrubbed) map[string]string {
	t := map[string]string{"component": p.group.component, "class": p.group.class}
	if p.group.tracker != "" {
		t["tracker"] = p.group.tracker
	}
	if p.status != 0 {
		t["status"] = strconv.Itoa(p.status)
	}
	return t
}

// stacktrace is in Sentry's order: the innermost call last.
func stacktrace(stack []frame) *sentry.Stacktrace {
	frames := make([]sentry.Frame, len(stack))
	for i, f := range stack {
		frames[len(stack)-1-i] = sentry.Frame{
			Function: f.Function, Module: f.Package, Filename: f.File, Lineno: f.Line,
			InApp: strings.HasPrefix(f.Package, "github.com/sparrow-edge/sparrow"),
		}
	}
	return &sentry.Stacktrace{Frames: frames}
}
