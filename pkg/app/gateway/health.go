package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
)

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
