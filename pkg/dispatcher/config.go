package dispatcher

import (
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
