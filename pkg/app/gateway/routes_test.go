package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// probe is the answer to a GET.
func probe(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestReadinessTellsTheReasonToTheLogOnly(t *testing.T) {
	var err error
	var log strings.Builder
	h := probeRoutes(http.NotFoundHandler(), answerReady(func(context.Context) error { return err }, slog.New(slog.NewTextHandler(&log, nil))))
	if w := probe(h, "/readyz"); w.Code != http.StatusOK || log.Len() > 0 {
		t.Errorf("ready: %d %s, log %q", w.Code, w.Body, &log)
	}
	err = errors.New("dial nats://user:secret@10.0.0.1")
	for range 2 {
		if w := probe(h, "/readyz"); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "nats") {
			t.Errorf("not ready: %d %s", w.Code, w.Body)
		}
	}
	if n := strings.Count(log.String(), "10.0.0.1"); n != 1 {
		t.Errorf("the reason is in the log %d times: %s", n, &log)
	}
	if w := probe(h, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("alive: %d", w.Code)
	}
	err = nil
	if w := probe(h, "/readyz"); w.Code != http.StatusOK || !strings.Contains(log.String(), "ready=true") {
		t.Errorf("ready again: %d, log %q", w.Code, &log)
	}
}

func TestWhileStartingNothingIsTaken(t *testing.T) {
	f := &publicServer{}
	f.setStep("opening the journal")
	h := f.waiting(http.NotFoundHandler())
	for _, path := range []string{"/readyz", "/v1/events"} {
		w := probe(h, path)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != startWait || w.Body.String() != "starting: opening the journal\n" {
			t.Errorf("%s: %d %v %q", path, w.Code, w.Header(), w.Body)
		}
	}
	if w := probe(h, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("alive: %d", w.Code)
	}
}
