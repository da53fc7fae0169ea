package console

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// maxWays bounds the events that one request may ask about.
const maxWays = 20

// Way is how far an event has come: the demo page shows it. It holds no
// secret: requests are masked before they get here.
type Way struct {
	EventID    string    `json:"eventId"`
	Receipt    string    `json:"receipt"`
	ReceivedAt time.Time `json:"receivedAt"`
	Duplicate  bool      `json:"duplicate"`
	Hops       []Hop     `json:"trackers"`
}

// Hop is what became of an event at one tracker.
type Hop struct {
	Tracker    string            `json:"tracker"`
	Outcome    string            `json:"outcome"`
	Reason     string            `json:"reason,omitempty"`
	Error      string            `json:"error,omitempty"` // the vendor's answer, sanitised
	Properties map[string]string `json:"properties,omitempty"`
	Requests   []Request         `json:"requests,omitempty"` // none where the tracker makes none
}

// Request is a request that a tracker makes of an event, its secrets masked.
type Request struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

// Finder knows the ways of events that have reached the warehouse.
type Finder interface {
	// Way returns the ways of the events with this id; none, and no error, as
	// long as the warehouse does not have it.
	Way(ctx context.Context, id string) ([]Way, error)
}

// Ways answers GET with the ways of the events named by the query's id
// parameters, 20 at most, as a JSON array: what the demo page asks for as long
// as one of its events is on its way. Only pages of the same origin are
// answered. It belongs on `sparrow dev`'s own listener and nowhere else.
func Ways(finder Finder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !readOnly(w, r) {
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
			http.Error(w, "only the demo page may ask", http.StatusForbidden)
			return
		}
		ids := r.URL.Query()["id"]
		if len(ids) == 0 || len(ids) > maxWays {
			http.Error(w, "name 1 to 20 events: ?id=...&id=...", http.StatusBadRequest)
			return
		}
		ways := []Way{}
		for _, id := range ids {
			found, err := finder.Way(r.Context(), id)
			if err != nil {
				http.Error(w, "the warehouse does not answer yet", http.StatusServiceUnavailable)
				return
			}
			ways = append(ways, found...)
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		_ = json.NewEncoder(w).Encode(ways) // the client went away: nobody to tell
	})
}
