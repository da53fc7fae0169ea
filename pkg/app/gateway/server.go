package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// server serves HTTP on one listener, from start on.
type server struct {
	listener net.Listener
	http     *http.Server
	ended    chan error // what Serve returned
}

func startServer(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) *server {
	s := &server{listener: l, ended: make(chan error, 1), http: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients' broken connections
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}}
	go func() {
		s.ended <- s.http.Serve(l)
		close(s.ended)
	}()
	return s
}

// run waits until ctx ends, or the server does by itself, which is an error. Then it
// lets the requests under way finish for as long as the bound allows.
func (s *server) run(ctx context.Context, log *slog.Logger, bound time.Duration, draining func()) error {
	select {
	case err := <-s.ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	draining()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	if err := s.http.Shutdown(grace); err != nil {
		log.Warn("requests were cut off", "err", err)
		_ = s.http.Close() // closes what Shutdown gave up on
	}
	if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// close ends the server at once, if it still serves.
func (s *server) close() error {
	err := s.http.Close()
	for range s.ended { // run may have received the error already
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// publicServer is the server of the public listener. It answers health checks from the
// moment the listener is open, while the journal may still be reading its blocks
// after a crash; events are accepted once use has been called.
type publicServer struct {
	*server
	handler atomic.Pointer[http.Handler]
	step    atomic.Pointer[string] // what the start is at
}

// openPublicServer begins to serve on the address; close ends it.
func openPublicServer(ctx context.Context, address string, metrics http.Handler, log *slog.Logger) (*publicServer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open public listener: %w (set `listen` to a free address)", err)
	}
	s := &publicServer{}
	s.use(s.waiting(metrics))
	s.server = startServer(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }), log)
	return s, nil
}

// setStep says what the start is at, for /readyz.
func (s *publicServer) setStep(step string) { s.step.Store(&step) }

// use has every request from now on answered by h.
func (s *publicServer) use(h http.Handler) { s.handler.Store(&h) }

// startWait is what clients are told to wait while the gateway starts.
const startWait = "2" // seconds

// waiting answers while the gateway starts: it is alive, and accepts nothing yet.
func (s *publicServer) waiting(metrics http.Handler) http.Handler {
	starting := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", startWait)
		http.Error(w, "starting: "+*s.step.Load(), http.StatusServiceUnavailable)
	}
	r := probeRoutes(metrics, starting)
	r.NotFound(starting)
	r.MethodNotAllowed(starting)
	return r
}
