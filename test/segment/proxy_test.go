package segment_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// badNetwork is a proxy between an SDK and the gateway. Every bad-th POST fails: by
// turns it is answered with 503 and not forwarded, or it is forwarded and its answer
// is lost, so that the SDK sends again what is already stored.
type badNetwork struct {
	to            *httputil.ReverseProxy
	bad           int64
	posts         atomic.Int64
	refused, lost atomic.Int64
}

func newBadNetwork(t *testing.T, gateway string, bad int64) (*badNetwork, string) {
	t.Helper()
	target, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	n := &badNetwork{bad: bad, to: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	return n, server.URL
}

func (n *badNetwork) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		n.to.ServeHTTP(w, r)
		return
	}
	switch count := n.posts.Add(1); {
	case count%(2*n.bad) == 0:
		n.refused.Add(1)
	case count%n.bad == 0:
		n.lost.Add(1)
		n.to.ServeHTTP(httptest.NewRecorder(), r)
	default:
		n.to.ServeHTTP(w, r)
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
	http.Error(w, "bad gateway", http.StatusServiceUnavailable)
}
