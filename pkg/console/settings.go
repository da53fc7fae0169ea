package console

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Settings is what a page starts the browser SDK with where it leaves that to
// the gateway: options of the SDK's init. Absent members are the SDK's defaults.
type Settings struct {
	Key       string `json:"key"`
	Pageviews string `json:"pageviews,omitempty"` // "off" for none that is automatic
	Consent   string `json:"consent,omitempty"`   // "wait" until the visitor was asked
	GPC       bool   `json:"gpc,omitempty"`       // Global Privacy Control is a refusal
	DNT       bool   `json:"dnt,omitempty"`       // Do Not Track is a refusal
}

// Config serves the settings whose key the query names; 404 if there are none.
// Browsers take them from their cache at once: for five minutes without asking,
// for a week while they ask whether they changed, so that a page starts even
// when the gateway is away.
func Config(settings []Settings) (http.Handler, error) {
	answers := make(map[string][]byte, len(settings))
	for _, s := range settings {
		body, err := json.Marshal(s)
		if err != nil {
			return nil, fmt.Errorf("encode settings: %w", err)
		}
		answers[s.Key] = body
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !readOnly(w, r) {
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*") // it is as public as the key
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		body, found := answers[r.URL.Query().Get("key")]
		if !found {
			http.Error(w, "no source has this key", http.StatusNotFound)
			return
		}
		h.Set("ETag", `"`+tag(body)+`"`)
		h.Set("Cache-Control", "public, max-age=300, stale-while-revalidate=604800")
		serve(w, r, "application/json", body)
	}), nil
}
