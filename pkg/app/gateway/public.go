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

// publicServer is the server of the public listener. It answers health checks from the
// moment the listener is open, while the journal may still be reading its blocks
// after a crash; events are accepted once use has been called.
type publicServer struct {
	listener net.Listener
	server   *http.Server
	handler  atomic.Pointer[http.Handler]
	step     atomic.Pointer[string] // what the start is at
	ended    chan error
}

// openPublicServer begins to serve on the address; close ends it.
func openPublicServer(ctx context.Context, address string, metrics http.Handler, log *slog.Logger) (*publicServer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open public listener: %w (set `listen` to a free address)", err)
	}
	s := &publicServer{listener: listener, ended: make(chan error, 1)}
	s.use(s.waiting(metrics))
	s.server = newServer(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }), log)
	go func() {
		s.ended <- s.server.Serve(listener)
		close(s.ended)
	}()
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

// run waits until ctx ends or serving fails, and ends as endServer does.
func (s *publicServer) run(ctx context.Context, log *slog.Logger, bound time.Duration, draining func()) error {
	return endServer(ctx, s.server, s.ended, log, bound, draining)
}

// close ends the server at once, if it still serves.
func (s *publicServer) close() error {
	err := s.server.Close()
	for range s.ended { // run may have received the error already
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
