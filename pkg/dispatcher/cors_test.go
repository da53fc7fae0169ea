package dispatcher_test

import (
	"net/http"
	"testing"
)

func TestPreflight(t *testing.T) {
	for _, test := range []struct {
		name, path, origin string
		allowed            bool
	}{
		{"the source's origin", "/v1/events?key=" + siteKey, site, true},
		{"below a wildcard", "/s/e?key=" + siteKey, "https://a.b.shop.example.com", true},
		{"another origin", "/v1/events?key=" + siteKey, "https://evil.example", false},
		{"a lookalike", "/v1/events?key=" + siteKey, "https://evilshop.example.com", false},
		{"another scheme", "/v1/events?key=" + siteKey, "http://dash.example.com", false},
		{"a source without origins", "/v1/events?key=" + serverKey, "https://any.example", true},
		{"an unknown key", "/v1/events?key=pk_test_other", site, false},
		{"the key comes as Authorization", "/v1/events", site, true},
		{"no origin", "/v1/events?key=" + siteKey, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGateway(t, testConfig())
			a := g.post(t, "", method(http.MethodOptions), path(test.path), header("Access-Control-Request-Method", "POST"), func(r *http.Request) {
				if test.origin != "" {
					r.Header.Set("Origin", test.origin)
				}
			})
			got := a.header.Get("Access-Control-Allow-Origin")
			if want := map[bool]string{true: test.origin}[test.allowed]; got != want || a.status != http.StatusNoContent {
				t.Errorf("status %d, allowed origin %q, want %q", a.status, got, want)
			}
			if (a.header.Get("Access-Control-Max-Age") != "") != test.allowed || a.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("header %v", a.header)
			}
		})
	}
}

// TestErrorsAreReadable checks that a page can read every answer to its POST.
func TestErrorsAreReadable(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			origin := site
			if s.code == "origin" {
				origin = "https://evil.example"
			}
			a := s.start(t).post(t, s.body, append(s.options, header("Origin", origin))...)
			if a.status != s.status || a.header.Get("Access-Control-Allow-Origin") != origin {
				t.Errorf("status %d, want %d; header %v", a.status, s.status, a.header)
			}
			if a.header.Get("Access-Control-Expose-Headers") != "Retry-After, X-Request-Id" {
				t.Errorf("exposed %q", a.header.Get("Access-Control-Expose-Headers"))
			}
		})
	}
}
