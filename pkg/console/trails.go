package console

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// maxTrails bounds the events that one request may ask about.
const maxTrails = 20

// Finder knows the trails of events that have reached the warehouse.
type Finder interface {
	// Trails returns the trails of the events with this id; none, and no error, as
	// long as the warehouse does not have it.
	Trails(ctx context.Context, id string) ([]trail.Trail, error)
}

// Trails answers GET with the trails of the events named by the query's id
// parameters, 20 at most, as a JSON array: what the demo page asks for as long
// as one of its events is on its way. Only pages of the same origin are
// answered. It belongs on `sparrow dev`'s own listener and nowhere else.
func Trails(finder Finder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !readOnly(w, r) {
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
			http.Error(w, "only the demo page may ask", http.StatusForbidden)
			return
		}
		ids := r.URL.Query()["id"]
		if len(ids) == 0 || len(ids) > maxTrails {
			http.Error(w, "name 1 to 20 events: ?id=...&id=...", http.StatusBadRequest)
			return
		}
		trails := []trail.Trail{}
		for _, id := range ids {
			found, err := finder.Trails(r.Context(), id)
			if err != nil {
				http.Error(w, "the warehouse does not answer yet", http.StatusServiceUnavailable)
				return
			}
			trails = append(trails, found...)
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		_ = json.NewEncoder(w).Encode(trails) // the client went away: nobody to tell
	})
}
