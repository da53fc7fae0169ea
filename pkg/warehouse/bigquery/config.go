package bigquery

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/loopback"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/secret"
)

// Config names the dataset and says how to reach it. Its keys are those under
// "warehouse" in the configuration.
type Config struct {
	// Project is the Google Cloud project that has the dataset and pays for
	// queries.
	Project string `yaml:"project"`
	// Dataset is created at first start if it is missing.
	Dataset string `yaml:"dataset"`
	// Location is where a new dataset lives: "EU", "US" or a region.
	Location string `yaml:"location"`
	// Credentials is the JSON of a service account's key; empty for Application
	// Default Credentials.
	Credentials secret.Value `yaml:"credentials"`
	// MaxRow is the largest data of a row; a larger row goes to quarantine.
	// BigQuery accepts no request over 10 MB.
	MaxRow quantity.Size `yaml:"-"`
	// MaxBilled bounds the bytes that one user's query may be billed for.
	MaxBilled quantity.Size `yaml:"maxBilled"`
	// Timeout bounds each call, and the wait for each append.
	Timeout time.Duration `yaml:"timeout"`
	// InFlight is how many append requests, each of about 1 MiB, are in flight
	// at once.
	InFlight int `yaml:"inFlight"`
	// Endpoint and StorageEndpoint are the REST base URL and the gRPC address of
	// another server, such as an emulator; empty for Google's.
	Endpoint        string `yaml:"endpoint"`
	StorageEndpoint string `yaml:"storageEndpoint"`
	// Insecure speaks plain HTTP to the endpoints, without credentials. It is
	// allowed to loopback only.
	Insecure bool `yaml:"insecure"`
}

// BigQuery's limits.
const (
	largestRow  = 9_500 * quantity.Size(1000)
	maxInFlight = 100
)

// DefaultConfig lacks project and dataset.
func DefaultConfig() Config {
	return Config{
		Dataset: "sparrow", Location: "US", MaxRow: 9 * quantity.MiB, MaxBilled: 100 * quantity.GiB,
		Timeout: time.Minute, InFlight: 8,
	}
}

var (
	projectName  = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{2,61}[a-z0-9]$`)
	datasetName  = regexp.MustCompile(`^[A-Za-z0-9_]{1,900}$`)
	locationName = regexp.MustCompile(`^[A-Za-z0-9-]{2,40}$`)
)

// Check names each key whose value is not valid, and what to do.
func (c Config) Check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !projectName.MatchString(c.Project) {
		problem("warehouse.project: %q is no project id: use the id, not the name, such as my-project-123", c.Project)
	}
	if !datasetName.MatchString(c.Dataset) {
		problem("warehouse.dataset: %q: use letters, digits and underscores, such as sparrow", c.Dataset)
	}
	if !locationName.MatchString(c.Location) {
		problem("warehouse.location: %q: use EU, US or a region such as europe-west1", c.Location)
	}
	if c.MaxRow < 64*quantity.KiB || c.MaxRow > largestRow {
		problem("warehouse: rows of %s: use 64KiB to 9MiB: BigQuery takes no request over 10 MB", c.MaxRow)
	}
	if c.MaxBilled < 10*quantity.MiB {
		problem("warehouse.maxBilled: %s: BigQuery bills at least 10MiB: use more, such as 100GiB", c.MaxBilled)
	}
	if c.Timeout < time.Second || c.Timeout > 10*time.Minute {
		problem("warehouse.timeout: %s: use 1s to 10m, such as 1m", c.Timeout)
	}
	if c.InFlight < 1 || c.InFlight > maxInFlight {
		problem("warehouse.inFlight: %d: use 1 to %d, such as 8", c.InFlight, maxInFlight)
	}
	c.checkEndpoints(problem)
	return errors.Join(problems...)
}

func (c Config) checkEndpoints(problem func(format string, args ...any)) {
	if (c.Endpoint == "") != (c.StorageEndpoint == "") {
		problem("warehouse.endpoint: give endpoint and storageEndpoint together, or neither")
	}
	if c.Endpoint == "" {
		if c.Insecure {
			problem("warehouse.insecure: is for an emulator: give its endpoint and storageEndpoint, or leave it out")
		}
		return
	}
	base, err := url.Parse(c.Endpoint)
	switch {
	case err != nil || base.Host == "" || base.User != nil:
		problem("warehouse.endpoint: it is no URL: use one such as http://127.0.0.1:9050")
	case c.Insecure && !loopback.IsHost(base.Hostname()):
		problem("warehouse.endpoint: %s: plain HTTP is allowed to loopback only: use 127.0.0.1, or https without insecure", base.Host)
	case !c.Insecure && base.Scheme != "https":
		problem("warehouse.endpoint: %s: use https, or insecure: true for an emulator", base.Host)
	}
	host, _, err := net.SplitHostPort(c.StorageEndpoint)
	switch {
	case c.StorageEndpoint == "":
	case err != nil:
		problem("warehouse.storageEndpoint: %q: use host:port, such as 127.0.0.1:9060", c.StorageEndpoint)
	case c.Insecure && !loopback.IsHost(host):
		problem("warehouse.storageEndpoint: %s: plain HTTP is allowed to loopback only", host)
	}
}
