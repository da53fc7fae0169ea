package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// Entry is one event in a vendor fake's own log.
type Entry = vendortest.Entry

// Generator posts events from several connections at once and keeps the ids
// that were acknowledged with a 2xx: the independent record that "nothing
// lost" is checked against.
type Generator struct {
	URL, Key string
	Prefix   string // of the event ids
	Workers  int
	// Body makes the body of the n-th request with this event id.
	Body func(id string, n int) string

	mu           sync.Mutex
	next         int
	acknowledged map[string]bool
	sent         map[string]bool
}

// Run posts until ctx ends. An event that was not acknowledged is sent again
// with the same id, as the SDK does, until it is or ctx ends.
func (g *Generator) Run(ctx context.Context) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: g.Workers}}
	defer client.CloseIdleConnections()
	var workers sync.WaitGroup
	for range g.Workers {
		workers.Go(func() {
			for ctx.Err() == nil {
				id, n := g.nextID()
				body := g.Body(id, n)
				for ctx.Err() == nil && !g.post(ctx, client, id, body) {
					pause(ctx, 20*time.Millisecond)
				}
			}
		})
	}
	workers.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (g *Generator) nextID() (string, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sent == nil {
		g.sent, g.acknowledged = map[string]bool{}, map[string]bool{}
	}
	g.next++
	id := fmt.Sprintf("%s-%d", g.Prefix, g.next)
	g.sent[id] = true
	return id, g.next
}

func (g *Generator) post(ctx context.Context, client *http.Client, id, body string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/v1/events?key="+g.Key, strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.acknowledged[id] = true
	return true
}

// Acknowledged returns the ids of all events that were acknowledged.
func (g *Generator) Acknowledged() map[string]bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids := make(map[string]bool, len(g.acknowledged))
	for id := range g.acknowledged {
		ids[id] = true
	}
	return ids
}

// Sent returns the ids of all events that were tried, acknowledged or not.
func (g *Generator) Sent() map[string]bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids := make(map[string]bool, len(g.sent))
	for id := range g.sent {
		ids[id] = true
	}
	return ids
}
