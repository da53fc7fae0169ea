package amplitude

import (
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Config is what `kind: amplitude` takes.
type Config struct {
	// APIKey is the project's API key. Required.
	APIKey tracker.Secret `yaml:"apiKey"`
	// Endpoint is "http" (HTTP V2, for low delay) or "batch" (larger requests and
	// higher limits for one user, for backfills). Default: http.
	Endpoint string `yaml:"endpoint"`
	// Region is "us" or "eu", where the project is. Default: us.
	Region string `yaml:"region"`
	// Plan "starter" keeps to what Amplitude advises for its Starter plan: 10 events
	// a request and 1,000 a second. Default: none.
	Plan string `yaml:"plan"`
	// Identify names the event, such as "signed in", that is sent as Amplitude's
	// $identify: it sets the user's properties and counts as no event there. Default: none.
	Identify string `yaml:"identify"`
	// BatchSize is how many events one request holds: at most 1999 (http) or 2000
	// (batch). Default: 200 (http), 1000 (batch), 10 with plan starter.
	BatchSize    int `yaml:"batchSize"`
	tracker.Host `yaml:",inline"`
	// ForwardIP sends the visitor's address, as far as the gateway keeps it, so
	// that Amplitude can derive a place from it. Amplitude keeps it. Default: false.
	ForwardIP bool `yaml:"forwardIP"`
}

// What Amplitude advises for its Starter plan.
const (
	planStarter   = "starter"
	starterEvents = 10   // of one request
	starterRate   = 1000 // events a second
)

// api is what differs between the vendor's two APIs.
type api struct {
	path      string
	events    int           // of one request by default
	maxEvents int           // of one request
	maxBytes  int           // of one body, our target below the vendor's limit
	throttled time.Duration // how long a throttled user is left alone
	userAgent bool          // whether it takes user_agent
}

// apis are the values of Config.Endpoint.
var apis = map[string]api{
	"http":  {"/2/httpapi", 200, 1999, 900_000, 30 * time.Second, true},
	"batch": {"/batch", 1000, 2000, 5_000_000, 15 * time.Second, false},
}

// check returns the API and base URL to send to, or what is wrong with the
// configuration.
func (c Config) check() (to api, base string, err error) {
	faults := []error{tracker.CheckSecret("apiKey", c.APIKey, "it is in Amplitude under Settings, Projects")}
	to, found := apis[c.Endpoint]
	switch {
	case !found:
		faults = append(faults, fmt.Errorf("endpoint: %q is not known; want http or batch", c.Endpoint))
	case c.BatchSize < 0 || c.BatchSize > to.maxEvents:
		faults = append(faults, fmt.Errorf("batchSize: want 1 to %d, the most that endpoint %s takes in one request", to.maxEvents, c.Endpoint))
	}
	base, err = c.InRegion(c.Region, map[string]string{"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"})
	faults = append(faults, err)
	if c.Plan != "" && c.Plan != planStarter {
		faults = append(faults, fmt.Errorf("plan: %q is not known; want starter, or leave it out", c.Plan))
	}
	return to, base, errors.Join(faults...)
}
