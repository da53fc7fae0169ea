package delivery

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// route follows a request, to learn how far it got. An event whose request was
// not written to its end is sent again, so that must be certain. Therefore, when
// a request fails without a response, its connection is closed first, after which
// nothing more can be written; only then is the body asked how much of it was
// read. Bytes that were read but may still be in a buffer count as written.
type route struct {
	body   *trackedBody
	cancel context.CancelFunc

	mu         sync.Mutex
	conn       net.Conn
	connected  bool
	begun      bool // the head was written
	incomplete bool // writing failed
}

func newRoute(body []byte, cancel context.CancelFunc) *route {
	b := &trackedBody{reader: bytes.NewReader(body)}
	b.left.Store(int64(len(body)))
	return &route{body: b, cancel: cancel}
}

// trace adds the route's hooks to ctx.
func (r *route) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			r.locked(func() {
				if r.begun { // net/http is about to send the request a second time
					r.cancel()
				}
			})
		},
		GotConn: func(info httptrace.GotConnInfo) {
			r.locked(func() { r.connected, r.conn = true, info.Conn })
		},
		WroteHeaders: func() {
			r.locked(func() { r.begun = true })
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			r.locked(func() { r.incomplete = r.incomplete || info.Err != nil })
		},
	})
}

func (r *route) locked(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// reach is how far a request without a response got. It ends the connection.
func (r *route) reach() tracker.Reach {
	r.mu.Lock()
	conn := r.conn
	r.mu.Unlock()
	if conn != nil {
		conn.Close() //nolint:errcheck // the request failed already
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.connected:
		return tracker.NotConnected
	case !r.begun || r.incomplete || r.body.left.Load() > 0:
		return tracker.NotWritten
	default:
		return tracker.Written
	}
}

// trackedBody is a request's body that knows how much of it was read.
type trackedBody struct {
	reader *bytes.Reader
	left   atomic.Int64
}

// Read hands out bytes to be written.
func (b *trackedBody) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p)
	b.left.Add(-int64(n))
	return n, err
}

// Close ends the body; it can be read no further by then.
func (b *trackedBody) Close() error { return nil }

var _ io.ReadCloser = (*trackedBody)(nil)
