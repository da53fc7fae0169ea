package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sparrow-edge/sparrow/api"
	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/console"
	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/loopback"
	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// publicRoutes is everything that the public listener serves. There is no admin
// route among it; `sparrow dev`, which listens on loopback alone, also shows its
// demo page where that page's events are.
func (g *Gateway) publicRoutes() (http.Handler, error) {
	browser := g.settings.Config.Paths.Browser
	docs, err := console.Docs()
	if err != nil {
		return nil, fmt.Errorf("the API's documentation: %w", err)
	}
	settings, err := console.Config(browserSettings(g.settings.Config.Intake.Sources))
	if err != nil {
		return nil, fmt.Errorf("browser settings: %w", err)
	}
	r := chi.NewRouter()
	if g.settings.IsDev {
		r.Use(loopbackHostOnly)
		r.Get("/", console.Demo(g.settings.Config.Intake.Sources[0].Keys[0], browser).ServeHTTP)
		r.Handle("/demo/ways", console.Trails(demoTrails{g.operations()}))
	}
	g.dispatcher.Mount(r, browser)
	r.Handle(browser+"/sparrow.js", console.SDK())
	r.Handle(browser+"/config", settings)
	r.Handle("/metrics", g.metrics())
	r.Handle("/docs", docs)
	r.Handle("/docs/*", docs)
	r.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(api.OpenAPI()) // fails only if the reader went away
	})
	return r, nil
}

// browserSettings is the settings of the SDK for each key.
func browserSettings(sources []dispatcher.Source) []console.Settings {
	var all []console.Settings
	for _, s := range sources {
		for _, key := range s.Keys {
			one := console.Settings{Key: key, Consent: s.Browser.Consent, GPC: s.Browser.GPC, DNT: s.Browser.DNT}
			if s.Browser.Pageviews == "off" {
				one.Pageviews = "off"
			}
			all = append(all, one)
		}
	}
	return all
}

func (g *Gateway) metrics() http.Handler {
	return promhttp.HandlerFor(g.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// loopbackHostOnly refuses requests for another host's name, so that a page on
// the web cannot reach a developer's gateway by DNS rebinding.
func loopbackHostOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback.IsHostPort(r.Host) {
			http.Error(w, "sparrow dev answers to localhost only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// probeRoutes serves the metrics and the health checks of a process that takes no
// events, or none yet. Where there is intake, the dispatcher answers health checks,
// because only it knows whether it is draining.
func probeRoutes(metrics http.Handler, ready http.HandlerFunc) *chi.Mux {
	r := chi.NewRouter()
	r.Handle("/metrics", metrics)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r.Get("/readyz", ready)
	return r
}

// answerReady answers 200 while the check passes, else 503. The reason goes to the
// operator's log when that changes, never to the public.
func answerReady(check func(context.Context) error, log *slog.Logger) http.HandlerFunc {
	var unready atomic.Bool
	return func(w http.ResponseWriter, r *http.Request) {
		err := check(r.Context())
		if unready.Swap(err != nil) != (err != nil) {
			log.Warn("readiness changed", "ready", err == nil, "err", err)
		}
		if err != nil {
			http.Error(w, "the journal is not ready", http.StatusServiceUnavailable)
		}
	}
}

// demoTrails lets the demo page of `sparrow dev` see where its events are.
type demoTrails struct{ ops operations }

// Trails implements console.Finder. It indents the requests' bodies for people.
func (d demoTrails) Trails(ctx context.Context, id string) ([]trail.Trail, error) {
	found, err := d.ops.Event(ctx, id, true)
	if errors.Is(err, admin.ErrNotFound) {
		return nil, nil
	}
	for i := range found {
		t := &found[i]
		if t.Steps == nil {
			t.Steps = []trail.Step{} // the page wants an array
		}
		for _, step := range t.Steps {
			for i := range step.Requests {
				step.Requests[i].Body = indented(step.Requests[i].Body)
			}
		}
	}
	return found, err
}

// indented adds white space to JSON, and nothing else; other text stays.
func indented(body string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(body), "", "  ") != nil {
		return body
	}
	return b.String()
}
