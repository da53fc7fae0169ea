package dispatcher

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// Config is what an operator sets of the intake. Start from DefaultConfig.
type Config struct {
	// Sources are the sites and servers that may send events. At least one.
	Sources []Source `yaml:"sources"`
	// Limits bound a request, and all requests together.
	Limits Limits `yaml:"limits"`
	// ClientIP says where a client's address comes from and how much of it is kept.
	ClientIP ClientIP `yaml:"clientIp"`
}

// Source is a site or server that sends events, with its write keys.
type Source struct {
	// Name is in raw.source and in metrics: 1-64 letters, digits, dots,
	// dashes, underscores.
	Name string `yaml:"name"`
	// Keys are the write keys, each 8-128 of A-Z a-z 0-9 . _ ~ -. Several
	// allow rotation. A key belongs to one source.
	Keys []string `yaml:"keys"`
	// Origins are the web origins that may use the keys: "https://example.com",
	// "http://localhost:3000", or "https://*.example.com" for every name below
	// example.com. None means any origin. A request without an Origin header
	// (a server's) needs only the key.
	Origins []string `yaml:"origins"`
	// Rate is how many events a second are accepted, such as "500/s"; 0 means no limit.
	Rate quantity.Rate `yaml:"rate"`
	// Burst is how many events may come at once above the rate; a larger batch
	// is refused. 0 means a second's worth or a full batch, whichever is more.
	Burst int `yaml:"burst"`
	// Regions are the countries of the source's users, for the sanitizer; the
	// dispatcher does not use them.
	Regions []string `yaml:"regions"`
	// Browser is how pages with the keys behave.
	Browser Browser `yaml:"browser"`
}

// Limits bound a request, and all requests together.
type Limits struct {
	Body        quantity.Size `yaml:"body"`        // of a request's body as sent
	Inflated    quantity.Size `yaml:"inflated"`    // of a gzip body's content
	Event       quantity.Size `yaml:"event"`       // of one event
	Events      int           `yaml:"events"`      // in one request
	InFlight    quantity.Size `yaml:"inFlight"`    // of memory that all requests under way may use
	BodyTimeout time.Duration `yaml:"bodyTimeout"` // for a body to arrive whole
}

// ClientIP says where a client's address comes from and how much of it is kept.
type ClientIP struct {
	// Header is the request header in which a proxy of TrustedProxies gives the
	// client's address: "X-Forwarded-For" (the last address in it that is not
	// itself a trusted proxy), or one with a single address such as
	// "CF-Connecting-IP". Empty: the connection's address.
	Header string `yaml:"header"`
	// TrustedProxies are the networks ("10.0.0.0/8") and addresses whose Header
	// is believed.
	TrustedProxies []string `yaml:"trustedProxies"`
	// Precision is "cut" (to /24 for IPv4 and /48 for IPv6), "full" or "none".
	Precision string `yaml:"precision"`
}

// The values of ClientIP.Precision.
const (
	PrecisionCut  = "cut"
	PrecisionFull = "full"
	PrecisionNone = "none"
)

// DefaultConfig is the intake's limits as they are documented, without sources.
func DefaultConfig() Config {
	return Config{
		Limits: Limits{
			Body:        1 * quantity.MiB,
			Inflated:    4 * quantity.MiB,
			Event:       64 * quantity.KiB,
			Events:      1000,
			InFlight:    256 * quantity.MiB,
			BodyTimeout: 10 * time.Second,
		},
		ClientIP: ClientIP{Precision: PrecisionCut},
	}
}

var (
	sourceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	writeKey   = regexp.MustCompile(`^[A-Za-z0-9._~-]{8,128}$`)
	headerName = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// Check finds what is wrong with the configuration. The error joins all faults;
// each names its key and says what to do. Write keys are never quoted.
func (c Config) Check() error {
	var f faults
	f.need(len(c.Sources) > 0, "sources: none; add one with a name and a key")
	names, keys := map[string]int{}, map[string]string{}
	for i, s := range c.Sources {
		at := fmt.Sprintf("sources[%d]", i)
		other, taken := names[s.Name]
		f.need(!taken || s.Name == "", "%s.name: sources[%d] has the same name; give each its own", at, other)
		names[s.Name] = i
		s.check(&f, at, keys)
	}
	c.Limits.check(&f)
	c.ClientIP.check(&f)
	return errors.Join(f...)
}

// faults are what is wrong with a configuration.
type faults []error

// need adds a fault unless something is sound. format begins with the key.
func (f *faults) need(sound bool, format string, args ...any) {
	if !sound {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// check looks at one source; keys maps each key seen so far to its place.
func (s Source) check(f *faults, at string, keys map[string]string) {
	f.need(sourceName.MatchString(s.Name) && s.Name != noSource, "%s.name: want 1-64 letters, digits, dots, dashes or underscores, beginning with a letter or digit, and not %q", at, noSource)
	f.need(len(s.Keys) > 0, "%s.keys: none; add a write key", at)
	for i, key := range s.Keys {
		place := fmt.Sprintf("%s.keys[%d]", at, i)
		f.need(writeKey.MatchString(key), "%s: want 8-128 of A-Z a-z 0-9 . _ ~ -", place)
		other, taken := keys[key]
		f.need(!taken, "%s: is also %s; a key belongs to one source", place, other)
		keys[key] = place
	}
	for i, origin := range s.Origins {
		_, err := parseOrigin(origin)
		f.need(err == nil, "%s.origins[%d]: %w", at, i, err)
	}
	f.need(s.Rate >= 0, "%s.rate: want 0 (no limit) or more, such as 500/s", at)
	f.need(s.Burst == 0 || s.Burst > 0 && s.Rate != 0, "%s.burst: want a number of events, and a rate beside it", at)
	s.Browser.check(f, at+".browser")
}

func (l Limits) check(f *faults) {
	const most = 64 * quantity.MiB
	f.need(l.Body >= quantity.KiB && l.Body <= most, "limits.body: want 1KiB to %s", most)
	f.need(l.Inflated >= l.Body && l.Inflated <= most, "limits.inflated: want at least limits.body and at most %s", most)
	f.need(l.Event >= quantity.KiB && l.Event <= l.Inflated, "limits.event: want 1KiB to limits.inflated")
	f.need(l.Events >= 1 && l.Events <= 10_000, "limits.events: want 1 to 10000")
	f.need(l.InFlight >= l.largestRequest(), "limits.inFlight: want at least %s, so that the largest request fits", l.largestRequest())
	f.need(l.BodyTimeout > 0, "limits.bodyTimeout: want a duration such as 10s")
}

// largestRequest is the memory that one request may need: its body, what was
// inflated from it, and the encoded records.
func (l Limits) largestRequest() quantity.Size {
	return l.Body + 2*l.Inflated + quantity.Size(l.Events*maxContextSize) + quantity.MiB
}

func (c ClientIP) check(f *faults) {
	f.need(slices.Contains([]string{PrecisionCut, PrecisionFull, PrecisionNone}, c.Precision), "clientIp.precision: %q; want cut, full or none", c.Precision)
	f.need(c.Header == "" || headerName.MatchString(c.Header), "clientIp.header: not the name of a header; want one such as X-Forwarded-For")
	f.need((c.Header == "") == (len(c.TrustedProxies) == 0), "clientIp: header and trustedProxies need each other: anybody can send a header, so say whose is believed")
	for i, network := range c.TrustedProxies {
		_, err := parseNetwork(network)
		f.need(err == nil, "clientIp.trustedProxies[%d]: %q; want an address or a network such as 10.0.0.0/8", i, network)
	}
}

func parseNetwork(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Prefix(addr.BitLen())
}
