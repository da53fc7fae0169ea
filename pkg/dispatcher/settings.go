package dispatcher

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

// The browser SDKs of Segment and RudderStack fetch settings before they send
// anything. Ours say that no destination runs in the page and that events come here.

// serveSegmentSettings answers what Segment's CDN would, to an SDK whose cdnURL
// is ours.
func (d *Dispatcher) serveSegmentSettings(w http.ResponseWriter, r *http.Request) {
	d.serveSettings(w, r, chi.URLParam(r, "key"), func(key string, _ *source) []byte {
		b := append([]byte(nil), `{"integrations":{"Segment.io":{"apiKey":`...)
		b = event.AppendQuoted(b, key)
		b = append(b, `,"apiHost":`...)
		b = event.AppendQuoted(b, r.Host+"/v1")
		if scheme := schemeOf(r); scheme != "" {
			b = append(b, `,"protocol":"`+scheme+`"`...)
		}
		return append(b, `}},"metrics":{"sampleRate":0},"plan":{"track":{},"identify":{},"group":{}},"edgeFunction":{},"analyticsNextEnabled":true}`...)
	})
}

// serveRudderStackConfig answers what RudderStack's control plane would, to an
// SDK whose configUrl is ours.
func (d *Dispatcher) serveRudderStackConfig(w http.ResponseWriter, r *http.Request) {
	q := intakeRequest{r: r, dialect: segmentDialect("")}
	d.serveSettings(w, r, requestKey(&q), func(key string, s *source) []byte {
		b := append([]byte(nil), `{"source":{"id":`...)
		b = event.AppendQuoted(b, s.name)
		b = append(b, `,"name":`...)
		b = event.AppendQuoted(b, s.name)
		b = append(b, `,"writeKey":`...)
		b = event.AppendQuoted(b, key)
		return append(b, `,"workspaceId":"sparrow","enabled":true,"destinations":[],"config":{"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}}}}`...)
	})
}

// serveSettings answers settings to a page that may use the key.
func (d *Dispatcher) serveSettings(w http.ResponseWriter, r *http.Request, key string, settings func(key string, s *source) []byte) {
	h := w.Header()
	setCommon(h, requestID(r, time.Now()))
	setCORS(h, r.Header["Origin"])
	switch r.Method {
	case http.MethodOptions:
		h["Allow"] = valueAllowRead
		h["Access-Control-Allow-Methods"] = valueRead
		h["Access-Control-Allow-Headers"] = valueAllowHeaders
		h["Access-Control-Max-Age"] = valueMaxAge
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet, http.MethodHead:
	default:
		h["Allow"] = valueAllowRead
		writeRefusal(w, refuse(http.StatusMethodNotAllowed, reasonMethod, "ask for settings with GET"))
		return
	}
	s, f := d.findSource(key, firstValue(r.Header["Origin"]))
	if f != nil {
		writeRefusal(w, f)
		return
	}
	writeJSON(w, http.StatusOK, settings(key, s))
}

// schemeOf is the scheme by which the client reaches us, as far as we can tell: we
// end TLS ourselves, a proxy says so, or the client is on this machine. With ""
// the SDK uses https.
func schemeOf(r *http.Request) string {
	forwarded := strings.ToLower(firstValue(r.Header["X-Forwarded-Proto"]))
	switch {
	case r.TLS != nil || forwarded == "https":
		return "https"
	case forwarded == "http" || loopback.IsHostPort(r.Host):
		return "http"
	}
	return ""
}
