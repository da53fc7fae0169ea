package delivery_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// A key that the bound of an excerpt cuts in two must not show its first half.
func TestNoHalfOfASecretIsReported(t *testing.T) {
	for shift := range len(secret) + 2 {
		w := newWorld(t, true)
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			rw.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(rw, strings.Repeat(secret, 1000)+strings.Repeat("x", shift)+strings.Repeat(secret, 10_000))
		}))
		w.transport, w.tracker.base = nil, server.URL
		w.journal.add("buy")
		w.run()
		w.until(func() bool { return w.lane.Status().Outcomes[event.Rejected] == 1 })
		w.quit()
		server.Close()
		if reported := w.incidents.text(); strings.Contains(reported, secret[:4]) {
			t.Fatalf("shift %d: a part of the key is reported", shift)
		}
		w.discreet()
	}
}
