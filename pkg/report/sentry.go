package report

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/getsentry/sentry-go"
	"github.com/google/uuid"
)

const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// sentrySink sends reports to Sentry, and to the log what Sentry does not take.
// It is used by one goroutine.
type sentrySink struct {
	config  Config
	release string
	sender  *sentry.HTTPSyncTransport
	wire    *wire
	log     logSink

	// After a request that failed or was refused, the next is not tried before
	// until: a hanging Sentry must not cost its time-out for each report.
	pause time.Duration
	until time.Time
	state string // the last result, so that a change is logged once
}

func newSentrySink(config Config, options Options, logger *slog.Logger) *sentrySink {
	w := newWire(options.Transport)
	sender := sentry.NewHTTPSyncTransport()
	sender.Configure(sentry.ClientOptions{Dsn: config.DSN, HTTPClient: w.client()})
	return &sentrySink{config: config, release: options.Release, sender: sender, wire: w, log: logSink{logger}, state: sent}
}

func (s *sentrySink) deliver(ctx context.Context, r report) string {
	result, why := s.send(ctx, r)
	if result != s.state {
		s.state = result
		s.log.logger.LogAttrs(ctx, slog.LevelWarn, "sentry state changed", slog.String("state", result), slog.String("err", why))
	}
	if result != sent {
		s.log.deliver(ctx, r)
	}
	return result
}

func (s *sentrySink) send(ctx context.Context, r report) (result, why string) {
	if err := ctx.Err(); err != nil {
		return failed, err.Error()
	}
	if time.Now().Before(s.until) {
		return s.state, ""
	}
	s.wire.reset()
	s.sender.SendEventWithContext(ctx, s.event(r))
	result, why = s.wire.result()
	switch result {
	case sent, limited: // the library keeps the time Sentry asked for
		s.pause, s.until = 0, time.Time{}
	default:
		s.pause = min(max(2*s.pause, firstPause), maxPause)
		s.until = time.Now().Add(s.pause)
	}
	return result, why
}

func (s *sentrySink) close() { s.wire.close() }

// event is the report in Sentry's terms.
func (s *sentrySink) event(r report) *sentry.Event {
	id := uuid.New()
	e := sentry.NewEvent()
	e.EventID = sentry.EventID(hex.EncodeToString(id[:]))
	e.Timestamp = r.Time
	e.Level = sentry.LevelError
	e.Platform = "go"
	e.Logger = "sparrow"
	e.Environment = s.config.Environment
	e.ServerName = s.config.ServerName
	e.Release = s.release
	e.Sdk = sentry.SdkInfo{Name: "sentry.go", Version: sentry.SDKVersion}
	e.Fingerprint = r.Fingerprint
	e.Message = r.Message
	e.Tags = tags(r)
	if r.Summary != nil {
		e.Message = fmt.Sprintf("%s: %d incidents, %d of them in full", title(r), r.Summary.count, r.Summary.shown)
		e.Contexts["summary"] = summaryContext(r.Summary)
		return e
	}
	e.Exception = []sentry.Exception{{Type: title(r), Value: r.Message, Stacktrace: stacktrace(r.Stack)}}
	e.Contexts["incident"] = sentry.Context{"attempt": r.Attempt, "receipts": r.Receipts}
	if r.Exchange {
		e.Request = &sentry.Request{URL: r.URL, Method: r.Method, Data: r.RequestBody, Headers: r.RequestHeaders}
		e.Contexts["response"] = sentry.Context{"status_code": r.Status, "headers": r.ResponseHeaders, "data": r.ResponseBody}
	}
	return e
}

func summaryContext(s *summary) sentry.Context {
	return sentry.Context{
		"count": s.count, "shown": s.shown, "first_receipt": s.firstReceipt, "last_receipt": s.lastReceipt,
		"first_at": s.firstTime, "last_at": s.lastTime,
	}
}

// title is "lane amplitude: http 500".
func title(r report) string {
	return strings.TrimSpace(r.Component+" "+r.Tracker) + ": " + r.Class
}

func tags(r report) map[string]string {
	t := map[string]string{"component": r.Component, "class": r.Class}
	if r.Tracker != "" {
		t["tracker"] = r.Tracker
	}
	if r.Status != 0 {
		t["status"] = strconv.Itoa(r.Status)
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
