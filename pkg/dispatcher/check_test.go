package dispatcher_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
)

func TestCheck(t *testing.T) {
	source := func(change func(*dispatcher.Source)) func(*dispatcher.Config) {
		return func(c *dispatcher.Config) { change(&c.Sources[0]) }
	}
	origin := func(s string) func(*dispatcher.Config) {
		return source(func(s0 *dispatcher.Source) { s0.Origins = []string{s} })
	}
	for _, test := range []struct {
		name   string
		change func(*dispatcher.Config)
		want   string // "" for none
	}{
		{"sound", func(*dispatcher.Config) {}, ""},
		{"no sources", func(c *dispatcher.Config) { c.Sources = nil }, "sources: none"},
		{"no name", source(func(s *dispatcher.Source) { s.Name = "" }), "sources[0].name: want"},
		{"the name of unknown sources", source(func(s *dispatcher.Source) { s.Name = "none" }), "sources[0].name: want"},
		{"a name twice", source(func(s *dispatcher.Source) { s.Name = "server" }), "sources[1].name: sources[0] has the same"},
		{"no keys", source(func(s *dispatcher.Source) { s.Keys = nil }), "sources[0].keys: none"},
		{"a short key", source(func(s *dispatcher.Source) { s.Keys = []string{"short"} }), "sources[0].keys[0]: want 8-128"},
		{"a key with a space", source(func(s *dispatcher.Source) { s.Keys = []string{"pk_live 12345"} }), "sources[0].keys[0]: want"},
		{"a key twice", source(func(s *dispatcher.Source) { s.Keys = []string{siteKey, siteKey} }), "is also sources[0].keys[0]"},
		{"a key of two sources", source(func(s *dispatcher.Source) { s.Keys = []string{serverKey} }), "sources[1].keys[0]: is also sources[0].keys[0]"},
		{"an origin with a path", origin("https://example.com/"), "sources[0].origins[0]: want scheme"},
		{"an origin without a scheme", origin("example.com"), "origins[0]: want scheme"},
		{"an origin in upper case", origin("https://Example.com"), "origins[0]: want scheme"},
		{"another scheme", origin("ftp://example.com"), "origins[0]: want scheme"},
		{"a star", origin("*"), "origins[0]: want scheme"},
		{"a wildcard inside", origin("https://a.*.example.com"), "origins[0]: a wildcard"},
		{"a wildcard over a top level", origin("https://*.com"), "origins[0]: a wildcard"},
		{"part of a label", origin("https://a*.example.com"), "origins[0]: a wildcard"},
		{"the scheme's port", origin("https://example.com:443"), "origins[0]: leave out"},
		{"an empty port", origin("https://example.com:"), "origins[0]: leave out"},
		{"an IPv6 origin", origin("http://[::1]:3000"), ""},
		{"a wildcard with a port", origin("https://*.example.com:8443"), ""},
		{"a negative rate", source(func(s *dispatcher.Source) { s.Rate = -1 }), "sources[0].rate"},
		{"a burst without a rate", source(func(s *dispatcher.Source) { s.Burst = 5 }), "sources[0].burst"},
		{"no body", func(c *dispatcher.Config) { c.Limits.Body = 0 }, "limits.body"},
		{"inflated below the body", func(c *dispatcher.Config) { c.Limits.Inflated = 2048 }, "limits.inflated"},
		{"a huge event", func(c *dispatcher.Config) { c.Limits.Event = 1 << 30 }, "limits.event:"},
		{"no events", func(c *dispatcher.Config) { c.Limits.Events = 0 }, "limits.events"},
		{"little memory", func(c *dispatcher.Config) { c.Limits.InFlight = 1 << 20 }, "limits.inFlight"},
		{"no timeout", func(c *dispatcher.Config) { c.Limits.BodyTimeout = 0 }, "limits.bodyTimeout"},
		{"another precision", func(c *dispatcher.Config) { c.ClientIP.Precision = "exact" }, "clientIp.precision"},
		{"a header that nobody may send", func(c *dispatcher.Config) { c.ClientIP.Header = "X-Forwarded-For" }, "clientIp: header and trustedProxies"},
		{"proxies without a header", func(c *dispatcher.Config) { c.ClientIP.TrustedProxies = []string{"10.0.0.1"} }, "clientIp: header and trustedProxies"},
		{"a bad network", func(c *dispatcher.Config) {
			c.ClientIP = dispatcher.ClientIP{Precision: "cut", Header: "X-Real-IP", TrustedProxies: []string{"10.0.0.0/99"}}
		}, "clientIp.trustedProxies[0]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig()
			test.change(&c)
			err := c.Check()
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %q", err, test.want)
			}
			for _, s := range c.Sources {
				for _, key := range s.Keys {
					if err != nil && strings.Contains(err.Error(), key) && key != "short" {
						t.Errorf("the error tells a key: %v", err)
					}
				}
			}
		})
	}
}

// TestCheckJoins checks that one run of Check tells all faults.
func TestCheckJoins(t *testing.T) {
	err := dispatcher.Config{Sources: []dispatcher.Source{{}}}.Check()
	for _, want := range []string{"sources[0].name", "sources[0].keys", "limits.body", "clientIp.precision"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestConfigFromYAML(t *testing.T) {
	c := dispatcher.DefaultConfig()
	text := `
sources:
  - { name: dashboard, keys: ["pk_live_1"], origins: ["https://dash.example.com"], rate: 500/s, burst: 2000 }
limits: { body: 2MiB, inFlight: 64MiB, bodyTimeout: 3s }
clientIp: { header: X-Forwarded-For, trustedProxies: [10.0.0.0/8], precision: full }
`
	if err := yaml.NewDecoder(bytes.NewBufferString(text), yaml.Strict()).Decode(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if c.Sources[0].Rate != 500 || c.Limits.Body != 2<<20 || c.Limits.Events != 1000 || c.Limits.BodyTimeout != 3*time.Second {
		t.Errorf("read %+v", c)
	}
}
