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

// front is the server of the public listener. It answers health checks from the
// moment the listener is open, while the journal may still be reading its blocks
// after a crash; events are taken once use has been called.
type front struct {
	listener net.Listener
	server   *http.Server
	handler  atomic.Pointer[http.Handler]
	step     atomic.Pointer[string] // what the start is at
	ended    chan error
}

// openFront begins to serve on the address; close ends it.
func openFront(ctx context.Context, address string, metrics http.Handler, log *slog.Logger) (*front, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open public listener: %w (set `listen` to a free address)", err)
	}
	f := &front{listener: listener, ended: make(chan error, 1)}
	f.use(f.waiting(metrics))
	f.server = newServer(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*f.handler.Load()).ServeHTTP(w, r) }), log)
	go func() {
		f.ended <- f.server.Serve(listener)
		close(f.ended)
	}()
	return f, nil
}

// at notes what the start is at, for /readyz.
func (f *front) at(step string) { f.step.Store(&step) }

// use has every request from now on answered by h.
func (f *front) use(h http.Handler) { f.handler.Store(&h) }

// startWait is what clients are told to wait while the gateway starts.
const startWait = "2" // seconds

// waiting answers while the gateway starts: it is alive, and takes nothing yet.
func (f *front) waiting(metrics http.Handler) http.Handler {
	starting := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", startWait)
		http.Error(w, "starting: "+*f.step.Load(), http.StatusServiceUnavailable)
	}
	r := probeRoutes(metrics, starting)
	r.NotFound(starting)
	r.MethodNotAllowed(starting)
	return r
}

// run waits until ctx ends or serving fails, and ends as endServer does.
func (f *front) run(ctx context.Context, log *slog.Logger, bound time.Duration, draining func()) error {
	return endServer(ctx, f.server, f.ended, log, bound, draining)
}

// close ends the server at once, if it still serves.
func (f *front) close() error {
	err := f.server.Close()
	for range f.ended { // run may have taken how it ended
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
