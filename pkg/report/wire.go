package report

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

// Results of sending a payload: the values of the records metric's label, beside
// "logged".
const (
	sent    = "sent"
	limited = "limited" // Sentry asked for a pause, so nothing was sent
	refused = "refused" // any other answer but 2xx
	failed  = "failed"  // no answer
)

const requestTimeout = 10 * time.Second

var errPlainRequest = errors.New("plain http to a host that is not loopback")

// wire is the HTTP transport of the Sentry sink. It remembers the result of the
// last request, because the library does not return it. It is used by one goroutine.
type wire struct {
	base http.RoundTripper
	last string
	why  string
}

func newWire(base http.RoundTripper) *wire {
	if base == nil {
		base = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: requestTimeout,
			MaxConnsPerHost:       1,
			IdleConnTimeout:       time.Minute,
		}
	}
	return &wire{base: base}
}

// client is an HTTP client that uses the wire and follows no redirects.
func (w *wire) client() *http.Client {
	return &http.Client{
		Transport: w, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback.IsHost(req.URL.Hostname()) {
		w.last, w.why = failed, errPlainRequest.Error()
		return nil, errPlainRequest
	}
	resp, err := w.base.RoundTrip(req)
	switch {
	case err != nil:
		w.last, w.why = failed, err.Error()
	case resp.StatusCode == http.StatusTooManyRequests:
		w.last, w.why = limited, resp.Status
	case resp.StatusCode >= 300:
		w.last, w.why = refused, resp.Status
	default:
		w.last, w.why = sent, ""
	}
	return resp, err
}

// reset forgets the last request. If the library then sends none, the result is
// limited.
func (w *wire) reset() { w.last, w.why = limited, "" }

func (w *wire) result() (result, why string) { return w.last, w.why }

func (w *wire) close() {
	if idle, ok := w.base.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}
