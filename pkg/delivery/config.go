package delivery

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Mode says whether a lane sends anything.
type Mode string

// The modes of a lane.
const (
	Live   Mode = "live"    // requests are sent
	DryRun Mode = "dry-run" // requests are built and recorded, nothing is sent
)

// The values of Config.From that are not a time.
const (
	FromNow   = "now"   // events accepted from now on
	FromStart = "start" // everything that the journal still holds
)

// Config is the part of a tracker's configuration that every kind shares: how
// its lane reads, sends and retries. The vendor's own part is the kind's.
type Config struct {
	// Name names the tracker in configuration, tables and metrics: 1 to 64 of
	// a-z, 0-9, "-" and "_", beginning with a letter.
	Name string `yaml:"name"`
	Mode Mode   `yaml:"mode"`
	// From is where a lane that has never run begins: "now", "start" or an RFC
	// 3339 time. A tracker that was removed and comes back begins at now.
	From string `yaml:"from"`
	// Insecure allows plain HTTP to other hosts than loopback.
	Insecure bool `yaml:"insecure"`
	// Rate and Burst override the vendor's limit, in events; 0 keeps it.
	Rate  quantity.Rate `yaml:"rate"`
	Burst int           `yaml:"burst"`
	// Concurrency overrides how many requests may be under way; 0 keeps the kind's.
	Concurrency int `yaml:"concurrency"`
	// Budget is how long a parked event is tried again; 0 means 24 h, or the
	// vendor's back-dating window where that is shorter.
	RetryFor time.Duration `yaml:"budget"`
	// Timeout is for one request, from dialling to the end of the response.
	Timeout time.Duration `yaml:"timeout"`
	// MaxParked is how many events may wait for a retry of their own; at the
	// bound the lane stops reading.
	MaxParked int `yaml:"maxParked"`
	// IsolateAfter is how often in a row the vendor may respond with 5xx before events
	// are sent one at a time, to find one on which it fails.
	IsolateAfter int `yaml:"isolateAfter"`

	// Drain is how long requests under way may go on at shutdown.
	Drain time.Duration `yaml:"-"`
	// MaxAge is the journal's: an event older than this that still waits is
	// expired. 0 means that events wait for ever.
	MaxAge time.Duration `yaml:"-"`
}

// DefaultConfig is a live lane that begins at now.
func DefaultConfig() Config {
	return Config{Mode: Live, From: FromNow, Timeout: 30 * time.Second, MaxParked: 1000, IsolateAfter: 10, Drain: 10 * time.Second}
}

// The bounds of Config's values.
const (
	maxParkedLimit = 10_000 // all parked entries must fit one checkpoint
	maxConcurrency = 64
	maxTimeout     = 5 * time.Minute
	defaultBudget  = 24 * time.Hour

	maxIsolateAfter = 1000
)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// Check returns an error for each key whose value cannot be used, and what to
// write instead.
func (c Config) Check() error {
	var errs []error
	fail := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	fail(namePattern.MatchString(c.Name), "name: %q: use 1 to 64 of a-z, 0-9, - and _, beginning with a letter", c.Name)
	fail(c.Mode == Live || c.Mode == DryRun, "mode: %q: use live or dry-run", c.Mode)
	_, err := c.fromTime()
	fail(err == nil, "from: %q: use now, start or a time such as 2026-11-20T09:00:00Z", c.From)
	rate := float64(c.Rate)
	fail(rate >= 0 && !math.IsInf(rate, 0) && !math.IsNaN(rate), "rate: use a number of events such as 500/s, or leave it out")
	fail(c.Burst >= 0, "burst: %d: use a positive number of events, or leave it out", c.Burst)
	fail(c.Concurrency >= 0 && c.Concurrency <= maxConcurrency, "concurrency: %d: use 1 to %d, or leave it out", c.Concurrency, maxConcurrency)
	fail(c.RetryFor >= 0, "budget: %s: use a duration such as 24h, or leave it out", c.RetryFor)
	fail(c.Timeout > 0 && c.Timeout <= maxTimeout, "timeout: %s: use more than 0 and at most %s", c.Timeout, maxTimeout)
	fail(c.MaxParked > 0 && c.MaxParked <= maxParkedLimit, "maxParked: %d: use 1 to %d", c.MaxParked, maxParkedLimit)
	fail(c.IsolateAfter >= isolateAgain && c.IsolateAfter <= maxIsolateAfter, "isolateAfter: %d: use %d to %d", c.IsolateAfter, isolateAgain, maxIsolateAfter)
	fail(c.Drain >= 0, "drain: %s: use a duration such as 10s", c.Drain)
	fail(c.MaxAge >= 0, "maxAge: %s: use a duration such as 168h", c.MaxAge)
	return errors.Join(errs...)
}

// fromTime is From as a time; zero for now and start.
func (c Config) fromTime() (time.Time, error) {
	if c.From == FromNow || c.From == FromStart {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, c.From)
}

// budget is how long a parked event is tried again at a vendor.
func (c Config) budget(traits tracker.Traits) time.Duration {
	if c.RetryFor > 0 {
		return c.RetryFor
	}
	if traits.MaxEventAge > 0 {
		return min(defaultBudget, traits.MaxEventAge)
	}
	return defaultBudget
}

// merge applies the overrides to a vendor's traits and fills what it left out.
func (c Config) merge(traits tracker.Traits) tracker.Traits {
	if c.Rate > 0 {
		traits.Rate = float64(c.Rate)
		traits.Burst = 0 // the vendor's burst belongs to its own rate
	}
	if c.Burst > 0 {
		traits.Burst = c.Burst
	}
	if c.Concurrency > 0 {
		traits.Concurrency = c.Concurrency
	}
	if c.Mode != Live {
		traits.Linger = 0 // nothing is sent, so no batch has to fill
	}
	traits.MaxBatch = min(max(traits.MaxBatch, 1), maxRows)
	traits.Concurrency = min(max(traits.Concurrency, 1), maxConcurrency)
	if traits.Burst <= 0 {
		traits.Burst = max(1, int(min(traits.Rate, maxRows)))
	}
	return traits
}
