package faults_test

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

// The secrets of these tests. One has characters that URLs and JSON escape.
const (
	ga4Secret    = "ga4+s3cret/with=odd&signs"
	amplitudeKey = "amplitude-k3y-nobody-may-see"
	serverKey    = "sk_server_write_key"
)

// vendor is a stand-in of either kind. It remembers when requests came.
type vendor struct {
	kind   string // ga4 or amplitude
	faults *vendortest.Faults
	taken  *vendortest.Log
	inner  http.Handler

	mu    sync.Mutex
	asked []time.Time
}

func newVendor(kind string) *vendor {
	if kind == "ga4" {
		s := ga4test.New(ga4test.Options{})
		return &vendor{kind: kind, faults: &s.Faults, taken: s.Taken, inner: s}
	}
	s := amplitudetest.New(amplitudetest.Options{})
	return &vendor{kind: kind, faults: &s.Faults, taken: s.Taken, inner: s}
}

// ServeHTTP is the stand-in's.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.asked = append(v.asked, time.Now())
	v.mu.Unlock()
	v.inner.ServeHTTP(w, r)
}

// requests are the times at which the vendor was asked.
func (v *vendor) requests() []time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]time.Time(nil), v.asked...)
}

// serve starts a server that ends with the test, whatever hangs in it.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

// serveSilent starts a TLS server that never answers on its first connection.
func serveSilent(t *testing.T, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Listener = &silent{Listener: s.Listener}
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

// silent is a listener that accepts its first connection and hands it to nobody.
type silent struct {
	net.Listener
	kept net.Conn
}

// Accept is the listener's, from the second connection on.
func (d *silent) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil || d.kept != nil {
		return conn, err
	}
	d.kept = conn
	return d.Listener.Accept()
}

// Close also closes the connection that was kept.
func (d *silent) Close() error {
	if d.kept != nil {
		_ = d.kept.Close() // nobody waits for it
	}
	return d.Listener.Close()
}

// trackerEntry is a line of the configuration's trackers.
func trackerEntry(kind, name, baseURL string, more ...string) string {
	own := "measurementId: G-TEST123456, apiSecret: '" + ga4Secret + "'"
	if kind == "amplitude" {
		own = "apiKey: " + amplitudeKey
	}
	more = append([]string{own, "baseURL: '" + baseURL + "'"}, more...)
	return fmt.Sprintf("  - { kind: %s, name: %s, %s }\n", kind, name, strings.Join(more, ", "))
}

const failingConfig = `environment: test
listen: "{{listen}}"
data: data
drain: 2s
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: backend, keys: [` + serverKey + `] }]
sentry: { dsn: "%s" }
trackers:
%s`

const countedPlan = `events:
  counted:
    properties: { n: integer, note: string }
`

// failingVendors is a gateway with a vendor of each kind for every breakdown.
type failingVendors struct {
	*harness.Gateway
	sentry     *harness.Sentry
	vendors    map[string]*vendor // by the tracker's name
	redirected atomic.Int64       // requests that came after a redirect
}

func newFailingVendors(t *testing.T) *failingVendors {
	s := &failingVendors{sentry: harness.NewSentry(t), vendors: map[string]*vendor{}}
	target := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.redirected.Add(1) }))
	var trackers, certificates strings.Builder
	for _, kind := range kinds() {
		for _, b := range breakdowns(kind, target.URL) {
			if b.outcome(kind) == absent {
				continue
			}
			v := newVendor(kind)
			s.vendors[kind+"-"+b.name] = v
			var server *httptest.Server
			if b.noHandshake {
				server = serveSilent(t, v)
				_ = pem.Encode(&certificates, &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}) // to memory
			} else {
				server = serve(t, v)
			}
			if b.faulty {
				v.faults.Order(b.fault)
			}
			trackers.WriteString(trackerEntry(kind, kind+"-"+b.name, server.URL, "timeout: "+b.timeout))
		}
	}
	s.Gateway = harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(failingConfig, s.sentry.DSN, trackers.String()),
		"plan.yaml":    countedPlan,
		"trusted.pem":  certificates.String(),
	}, "serve")
	s.Env = append(s.Env, "SSL_CERT_FILE="+s.Dir+"/trusted.pem")
	return s
}
