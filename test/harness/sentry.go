package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// SentryEvent is what tests read of an event that was reported.
type SentryEvent struct {
	Message     string
	Fingerprint []string
	Tags        map[string]string
	Contexts    map[string]map[string]any
	Request     struct {
		URL, Data string
		Headers   map[string]string
	}
	Exception []struct {
		Type, Value string
		Stacktrace  struct{ Frames []json.RawMessage }
	}
}

// Full reports whether the event is about one incident; false for the summary of a
// minute.
func (e SentryEvent) Full() bool { return e.Contexts["summary"] == nil }

// Group is the event's fingerprint in one piece: "lane/ga4/http 500".
func (e SentryEvent) Group() string { return strings.Join(e.Fingerprint, "/") }

// Sentry is a local server that takes envelopes and reads the events in them.
type Sentry struct {
	DSN string // to configure

	mu     sync.Mutex
	events []SentryEvent
	raw    bytes.Buffer
	errs   []error
}

// SentryKey is the key in the DSN of every Sentry: a secret.
const SentryKey = "5e0c5ea7a9114b1e8f6ad3a1d7b9c204"

// NewSentry starts one; it ends with the test.
func NewSentry(t testing.TB) *Sentry {
	s := &Sentry{}
	server := httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(server.Close)
	s.DSN = strings.Replace(server.URL, "http://", "http://"+SentryKey+"@", 1) + "/42"
	return s
}

func (s *Sentry) receive(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var events []SentryEvent
	if err == nil {
		events, err = parseEnvelope(body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw.Write(body)
	s.events = append(s.events, events...)
	if err != nil {
		s.errs = append(s.errs, err)
	}
}

// parseEnvelope reads an envelope: a header line, then for each item a header
// line with its length, and so many bytes.
func parseEnvelope(body []byte) ([]SentryEvent, error) {
	_, rest, _ := bytes.Cut(body, []byte("\n"))
	var events []SentryEvent
	for len(bytes.TrimSpace(rest)) > 0 {
		var head []byte
		head, rest, _ = bytes.Cut(rest, []byte("\n"))
		var item struct {
			Type   string
			Length int
		}
		if err := json.Unmarshal(head, &item); err != nil {
			return nil, fmt.Errorf("item header %q: %w", head, err)
		}
		if item.Type != "event" || item.Length < 0 || item.Length > len(rest) {
			return nil, fmt.Errorf("item %q of %d bytes, %d left", item.Type, item.Length, len(rest))
		}
		var e SentryEvent
		if err := json.Unmarshal(rest[:item.Length], &e); err != nil {
			return nil, fmt.Errorf("event: %w", err)
		}
		events = append(events, e)
		rest = bytes.TrimPrefix(rest[item.Length:], []byte("\n"))
	}
	return events, nil
}

// Events are the events taken so far; what could not be read fails the test.
func (s *Sentry) Events(t testing.TB) []SentryEvent {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.errs {
		t.Errorf("envelope: %v", err)
	}
	return slices.Clone(s.events)
}

// Raw is everything that was sent, as it was.
func (s *Sentry) Raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}
