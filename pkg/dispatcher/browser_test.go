package dispatcher_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
)

func TestIDCookieIsSetAgain(t *testing.T) {
	const id = "01a1fcf8-dea4-7000-a5b4-36e43b871d1b"
	c := testConfig()
	c.Sources[0].Browser = dispatcher.Browser{Cookie: true, CookieDomain: "example.com"}
	g := newGateway(t, c)
	cookie := header("Cookie", "other=1; sparrow_id="+id)
	from := header("Origin", site)
	for _, test := range []struct {
		name    string
		options []option
		want    string
	}{
		{"with the cookie", []option{cookie, from}, "sparrow_id=" + id + "; Path=/; Domain=example.com; Max-Age=34560000; Secure; SameSite=Lax"},
		{"from an http origin", []option{cookie, header("Origin", "http://localhost:3000")}, "sparrow_id=" + id + "; Path=/; Domain=example.com; Max-Age=34560000; SameSite=Lax"},
		{"without", []option{from}, ""},
		{"with another value", []option{header("Cookie", `sparrow_id=x"; Domain=evil`), from}, ""},
		{"another source", []option{cookie, path("/s/e?key=" + serverKey)}, ""},
		{"refused", []option{cookie, header("Origin", "https://evil.example.org")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := g.post(t, purchase, test.options...).header.Get("Set-Cookie"); got != test.want {
				t.Errorf("Set-Cookie %q, want %q", got, test.want)
			}
		})
	}
	if g.post(t, purchase, cookie, from).status != http.StatusOK {
		t.Error("not taken")
	}
}

func TestBrowserSettingsAreChecked(t *testing.T) {
	for key, b := range map[string]dispatcher.Browser{
		"sources[0].browser.pageviews":    {Pageviews: "yes"},
		"sources[0].browser.consent":      {Consent: "ask"},
		"sources[0].browser.cookieDomain": {Cookie: true, CookieDomain: ".Example.com"},
		"needs browser.cookie":            {CookieDomain: "example.com"},
	} {
		c := testConfig()
		c.Sources[0].Browser = b
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%+v: %v, want a fault of %s", b, err, key)
		}
	}
	c := testConfig()
	c.Sources[0].Browser = dispatcher.Browser{Pageviews: "off", Consent: "wait", GPC: true, DNT: true, Cookie: true, CookieDomain: "example.com"}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}
