package dispatcher_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

func isUUID7(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.Version() == 7 && id.Variant() == uuid.RFC4122 && id.String() == s
}

// TestContext checks what is kept of a request beside its body.
func TestContext(t *testing.T) {
	g := newGateway(t, testConfig())
	before := time.Now()
	a := g.post(t, purchase, header("User-Agent", "agent/1"), header("Origin", site), header("Referer", site+"/billing"),
		header("X-Request-Id", "req-1"), header("Sec-Purpose", "prefetch;prerender"))
	r := g.log.all()[0]
	want := event.Context{IP: "127.0.0.0", UserAgent: "agent/1", Origin: site, Referrer: site + "/billing", RequestID: "req-1", Purpose: "prefetch;prerender"}
	if diff := cmp.Diff(want, r.Context); diff != "" {
		t.Errorf("context: want -, got +\n%s", diff)
	}
	if r.Source != "dashboard" || r.ReceivedAt.Before(before.Truncate(time.Microsecond)) || time.Since(r.ReceivedAt) > time.Minute {
		t.Errorf("source %q, received at %v", r.Source, r.ReceivedAt)
	}
	if got := a.header.Get("X-Request-Id"); got != "req-1" {
		t.Errorf("request id %q", got)
	}
}

func TestHeadersAreCutAndUTF8(t *testing.T) {
	g := newGateway(t, testConfig())
	g.post(t, purchase, header("User-Agent", strings.Repeat("a", 511)+"é"), header("Referer", "\xff"+strings.Repeat("r", 5000)))
	c := g.log.all()[0].Context
	if len(c.UserAgent) != 511 || strings.Contains(c.Referrer, "\xff") || len(c.Referrer) > 1024 {
		t.Errorf("user agent of %d bytes, referrer of %d", len(c.UserAgent), len(c.Referrer))
	}
}

func TestRequestID(t *testing.T) {
	g := newGateway(t, testConfig())
	for _, bad := range []string{"", "with space", "<script>", strings.Repeat("x", 129), "é"} {
		if got := g.post(t, purchase, header("X-Request-Id", bad)).header.Get("X-Request-Id"); !isUUID7(got) {
			t.Errorf("for %q: id %q, want a new one", bad, got)
		}
	}
	for _, good := range []string{"a", "01J/x:y.z_w+v=u-t", strings.Repeat("x", 128)} {
		if got := g.post(t, purchase, header("X-Request-Id", good)).header.Get("X-Request-Id"); got != good {
			t.Errorf("for %q: id %q", good, got)
		}
	}
}

func TestClientIP(t *testing.T) {
	loopback := []string{"127.0.0.0/8", "10.0.0.1"}
	for _, test := range []struct {
		name    string
		config  dispatcher.ClientIP
		headers []string // name, value, ...
		want    string
	}{
		{"full", dispatcher.ClientIP{Precision: "full"}, nil, "127.0.0.1"},
		{"none", dispatcher.ClientIP{Precision: "none"}, nil, ""},
		{"a header nobody trusts", dispatcher.ClientIP{Precision: "full"}, []string{"X-Forwarded-For", "198.51.100.7"}, "127.0.0.1"},
		{"a header from another network", dispatcher.ClientIP{Precision: "full", Header: "X-Forwarded-For", TrustedProxies: []string{"10.0.0.0/8"}}, []string{"X-Forwarded-For", "198.51.100.7"}, "127.0.0.1"},
		{"forwarded", dispatcher.ClientIP{Precision: "cut", Header: "x-forwarded-for", TrustedProxies: loopback}, []string{"X-Forwarded-For", "198.51.100.7"}, "198.51.100.0"},
		{"a forged first address", dispatcher.ClientIP{Precision: "full", Header: "X-Forwarded-For", TrustedProxies: loopback}, []string{"X-Forwarded-For", "1.1.1.1, 198.51.100.7, 10.0.0.1"}, "198.51.100.7"},
		{"two header lines", dispatcher.ClientIP{Precision: "full", Header: "X-Forwarded-For", TrustedProxies: loopback}, []string{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "198.51.100.7"}, "198.51.100.7"},
		{"IPv6", dispatcher.ClientIP{Precision: "cut", Header: "CF-Connecting-IP", TrustedProxies: loopback}, []string{"CF-Connecting-IP", "2001:db8:1:2:3::4"}, "2001:db8:1::"},
		{"IPv6 with a port", dispatcher.ClientIP{Precision: "full", Header: "X-Forwarded-For", TrustedProxies: loopback}, []string{"X-Forwarded-For", "[2001:db8::4]:1234"}, "2001:db8::4"},
		{"IPv4 in IPv6", dispatcher.ClientIP{Precision: "cut", Header: "X-Real-Ip", TrustedProxies: loopback}, []string{"X-Real-Ip", "::ffff:198.51.100.7"}, "198.51.100.0"},
		{"not an address", dispatcher.ClientIP{Precision: "full", Header: "X-Forwarded-For", TrustedProxies: loopback}, []string{"X-Forwarded-For", "198.51.100.7, unknown"}, "127.0.0.1"},
		{"no header", dispatcher.ClientIP{Precision: "full", Header: "X-Forwarded-For", TrustedProxies: loopback}, nil, "127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig()
			c.ClientIP = test.config
			g := newGateway(t, c)
			g.post(t, purchase, func(r *http.Request) {
				for i := 0; i < len(test.headers); i += 2 {
					r.Header.Add(test.headers[i], test.headers[i+1])
				}
			})
			if got := g.log.all()[0].Context.IP; got != test.want {
				t.Errorf("kept %q, want %q", got, test.want)
			}
		})
	}
}
