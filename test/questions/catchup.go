package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"syscall"
	"time"
)

// catchUp measures how fast a lane delivers what the journal kept for it while its
// vendor was down.
func catchUp(ctx context.Context, binary, dir string, events int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	v := &vendor{}
	server := httptest.NewServer(v)
	defer server.Close()
	g := &gateway{binary: binary, dir: dir}
	if err := g.configure(fmt.Sprintf("\n  - { kind: amplitude, apiKey: not-a-real-key, baseURL: %q }", server.URL)); err != nil {
		return err
	}
	if _, err := g.start(ctx); err != nil {
		return err
	}
	defer func() { _ = g.stop(syscall.SIGKILL) }()
	if err := (load{events: events, batch: 100, seed: 3}).post(ctx, g.address); err != nil {
		return err
	}
	v.open()
	if err := until(ctx, 10*time.Minute, 20*time.Millisecond, func() bool { n, _ := v.received(); return n >= events }); err != nil {
		return err
	}
	n, took := v.received()
	row("a lane over its backlog, HTTP to a local vendor", rate(n, took), "")
	return g.stop(syscall.SIGTERM)
}

// vendor answers as Amplitude does: 503 until it is open.
type vendor struct {
	mu          sync.Mutex
	up          bool
	events      int
	first, last time.Time
}

func (v *vendor) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.up = true
}

// received is how many events came, and from the first to the last request.
func (v *vendor) received() (int, time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.events, v.last.Sub(v.first)
}

// ServeHTTP implements http.Handler.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	came := time.Now()
	n, err := countEvents(r)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case !v.up:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		if v.events == 0 {
			v.first = came
		}
		v.events += n
		v.last = time.Now()
		fmt.Fprintf(w, `{"code":200,"events_ingested":%d}`, n)
	}
}

func countEvents(r *http.Request) (int, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return 0, err
		}
		body = unzipped
	}
	var request struct{ Events []json.RawMessage }
	if err := json.NewDecoder(body).Decode(&request); err != nil {
		return 0, err
	}
	if len(request.Events) == 0 {
		return 0, errors.New("no events")
	}
	return len(request.Events), nil
}
