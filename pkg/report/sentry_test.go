package report_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/report"
)

// envelopeEvent is what the tests read of a Sentry event.
type envelopeEvent struct {
	Message     string
	Level       string
	Environment string
	Release     string
	ServerName  string `json:"server_name"`
	Fingerprint []string
	Tags        map[string]string
	Modules     map[string]string
	User        map[string]any
	Breadcrumbs []any
	Contexts    map[string]map[string]any
	Request     struct {
		URL, Method, Data string
		QueryString       string `json:"query_string"`
		Headers           map[string]string
		Env               map[string]string
	}
	Exception []struct {
		Type, Value string
		Stacktrace  struct {
			Frames []struct {
				Function, Module, Filename string
				AbsPath                    string `json:"abs_path"`
				Lineno                     int
			}
		}
	}
}

// parseEnvelope reads the events of a Sentry envelope.
func parseEnvelope(body io.Reader) ([]envelopeEvent, error) {
	lines := bufio.NewReader(body)
	if _, err := lines.ReadBytes('\n'); err != nil {
		return nil, fmt.Errorf("envelope header: %w", err)
	}
	var events []envelopeEvent
	for {
		header, err := lines.ReadBytes('\n')
		if len(header) == 0 && err == io.EOF {
			return events, nil
		}
		var item struct {
			Type   string
			Length int
		}
		if err := json.Unmarshal(header, &item); err != nil {
			return nil, fmt.Errorf("item header %q: %w", header, err)
		}
		payload := make([]byte, item.Length+1)
		if _, err := io.ReadFull(lines, payload); err != nil {
			return nil, fmt.Errorf("item payload: %w", err)
		}
		if item.Type != "event" {
			return nil, fmt.Errorf("unexpected item %q", item.Type)
		}
		var e envelopeEvent
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, fmt.Errorf("event: %w", err)
		}
		events = append(events, e)
	}
}

// fakeSentry takes envelopes.
type fakeSentry struct {
	mu       sync.Mutex
	events   []envelopeEvent
	raw      strings.Builder
	requests int
	arrived  chan struct{} // a value for each request, as far as there is room
	errs     []error
}

func newFakeSentry() *fakeSentry { return &fakeSentry{arrived: make(chan struct{}, 4096)} }

func (f *fakeSentry) take(body io.Reader) {
	text, _ := io.ReadAll(body)
	events, err := parseEnvelope(strings.NewReader(string(text)))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	f.raw.Write(text)
	f.events = append(f.events, events...)
	if err != nil {
		f.errs = append(f.errs, err)
	}
	select {
	case f.arrived <- struct{}{}:
	default:
	}
}

func (f *fakeSentry) seen(t *testing.T) []envelopeEvent {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, err := range f.errs {
		t.Error(err)
	}
	return append([]envelopeEvent(nil), f.events...)
}

// RoundTrip lets a fakeSentry stand in for the network, where a test's clock is
// not the machine's.
func (f *fakeSentry) RoundTrip(req *http.Request) (*http.Response, error) {
	f.take(req.Body)
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// serve starts a local Sentry and returns its DSN. answer may be nil for 200.
func (f *fakeSentry) serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		f.take(req.Body)
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http://", "http://0123456789abcdef@", 1) + "/42"
}

// start runs a Reporter; the returned function stops it and waits.
func start(t *testing.T, config report.Config, options report.Options) (*report.Reporter, func()) {
	t.Helper()
	r, err := report.New(config, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}
