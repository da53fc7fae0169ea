package dispatcher

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Browser is how pages that use a source's keys behave, where they leave that to
// the gateway: they fetch it at the browser path's /config.
type Browser struct {
	// Pageviews is "on" or "off": whether a pageview is recorded for the page
	// and for each navigation within it. Empty means "on".
	Pageviews string `yaml:"pageviews"`
	// Consent is "wait" where nothing may be stored or sent before the visitor
	// was asked; empty where it may.
	Consent string `yaml:"consent"`
	// GPC: Global Privacy Control counts as a refusal. DNT: Do Not Track does.
	GPC bool `yaml:"gpc"`
	DNT bool `yaml:"dnt"`
	// Cookie: the answer to each request with the device's id cookie sets it
	// again. Browsers keep such cookies longer than those that scripts set.
	Cookie bool `yaml:"cookie"`
	// CookieDomain is the domain of that cookie, such as "example.com" for all
	// its hosts. Empty means the host alone.
	CookieDomain string `yaml:"cookieDomain"`
}

var cookieDomain = regexp.MustCompile(`^([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$`)

func (b Browser) check(f *faults, at string) {
	f.need(b.Pageviews == "" || b.Pageviews == "on" || b.Pageviews == "off", "%s.pageviews: %q; want on or off", at, b.Pageviews)
	f.need(b.Consent == "" || b.Consent == "wait", "%s.consent: %q; want wait, or leave it out", at, b.Consent)
	f.need(b.CookieDomain == "" || cookieDomain.MatchString(b.CookieDomain), "%s.cookieDomain: want a domain in lower case without a leading dot, such as example.com", at)
	f.need(b.CookieDomain == "" || b.Cookie, "%s.cookieDomain: needs browser.cookie: true", at)
}

// The cookie with a device's id, as the browser SDK makes it. Scripts must be able to
// read it, because the SDK puts the id into events.
const (
	idCookie       = "sparrow_id"
	idCookieMaxAge = 400 * 24 * time.Hour // the most that browsers keep
)

var deviceID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// renew sets the id cookie of a request again, with the same value.
func (b Browser) renew(h http.Header, r *http.Request) {
	if !b.Cookie {
		return
	}
	sent, err := r.Cookie(idCookie)
	if err != nil || !deviceID.MatchString(sent.Value) {
		return
	}
	h.Add("Set-Cookie", (&http.Cookie{
		Name: idCookie, Value: sent.Value, Domain: b.CookieDomain, Path: "/", MaxAge: int(idCookieMaxAge / time.Second),
		Secure: strings.HasPrefix(firstValue(r.Header["Origin"]), "https:"), SameSite: http.SameSiteLaxMode,
	}).String())
}
