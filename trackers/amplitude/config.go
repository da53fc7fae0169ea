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
	BatchSize int `yaml:"batchSize"`
	// BaseURL replaces the vendor's host, for a test server or a proxy.
	BaseURL string `yaml:"baseURL"`
	// Insecure allows a BaseURL that is plain http to another machine.
	Insecure bool `yaml:"insecure"`
	// ForwardIP sends the visitor's address, as far as the gateway keeps it, so
	// that Amplitude can derive a place from it. Amplitude keeps it. Default: false.
	ForwardIP bool `yaml:"forwardIP"`
}

// The values of Config.Endpoint.
const (
	endpointHTTP  = "http"
	endpointBatch = "batch"
)

// What Amplitude advises for its Starter plan.
const (
	planStarter   = "starter"
	starterEvents = 10   // of one request
	starterRate   = 1000 // events a second
)

// DefaultConfig is the configuration before a file changes it. It lacks the
// required key.
func DefaultConfig() Config { return Config{Endpoint: endpointHTTP, Region: "us"} }

// api is what differs between the vendor's two APIs.
type api struct {
	path      string
	events    int           // of one request by default
	maxEvents int           // of one request
	maxBytes  int           // of one body, our target below the vendor's limit
	throttled time.Duration // how long a throttled user is left alone
	userAgent bool          // whether it takes user_agent
}

func (c Config) api() (api, error) {
	switch c.Endpoint {
	case endpointHTTP:
		return api{"/2/httpapi", 200, 1999, 900_000, 30 * time.Second, true}, nil
	case endpointBatch:
		return api{"/batch", 1000, 2000, 5_000_000, 15 * time.Second, false}, nil
	}
	return api{}, fmt.Errorf("endpoint: %q is not known; want http or batch", c.Endpoint)
}

// Check says what is wrong with the configuration, naming the key.
func (c Config) Check() error {
	_, err := c.base()
	if c.Plan != "" && c.Plan != planStarter {
		err = errors.Join(err, fmt.Errorf("plan: %q is not known; want starter, or leave it out", c.Plan))
	}
	return errors.Join(tracker.CheckSecret("apiKey", c.APIKey, "it is in Amplitude under Settings, Projects"), c.checkBatchSize(), err)
}

func (c Config) checkBatchSize() error {
	api, err := c.api()
	if err != nil {
		return err
	}
	if c.BatchSize < 0 || c.BatchSize > api.maxEvents {
		return fmt.Errorf("batchSize: want 1 to %d, the most that endpoint %s takes in one request", api.maxEvents, c.Endpoint)
	}
	return nil
}

// base is the scheme and host to send to.
func (c Config) base() (string, error) {
	hosts := map[string]string{"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"}
	return tracker.RegionURL(hosts, c.Region, c.BaseURL, c.Insecure)
}
