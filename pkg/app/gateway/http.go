package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sparrow-edge/sparrow/api"
	"github.com/sparrow-edge/sparrow/pkg/console"
	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/loopback"
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

// serve runs an HTTP server on l until ctx ends, then lets the requests under
// way finish for as long as the bound allows.
func serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger, bound time.Duration) error {
	server := newServer(ctx, h, log)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return endServer(ctx, server, ended, log, bound, func() {})
}

func newServer(ctx context.Context, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients' broken connections
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
}

// endServer waits until ctx ends, or the server does by itself, which is an
// error. Then it lets the requests under way finish for as long as the bound
// allows.
func endServer(ctx context.Context, server *http.Server, ended <-chan error, log *slog.Logger, bound time.Duration, draining func()) error {
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	draining()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		log.Warn("requests were cut off", "err", err)
		_ = server.Close() // closes what Shutdown gave up on
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
