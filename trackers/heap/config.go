package heap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Config is what `kind: heap` takes.
type Config struct {
	// AppID is the environment's id, a number. It is not a secret. Required.
	AppID string `yaml:"appId"`
	// Region is "us" or "eu". An environment in the EU is lost silently at the US
	// host. Default: us.
	Region string `yaml:"region"`
	// Anonymous says what becomes of events without a user: "skip" leaves them
	// out, "hash" sends them under a number derived from the device id. Default: skip.
	Anonymous string `yaml:"anonymous"`
	// HeapUserID names the property that holds heap.userId, the number by which
	// Heap's browser SDK knows the visitor: anonymous events are sent under it. It is
	// then no property of the event. Default: none.
	HeapUserID string `yaml:"heapUserId"`
	// Identify names the event, such as "signed in", at which a user is bound to the
	// visitor that HeapUserID names. Heap takes ten visitors of a user a month and
	// drops more silently, so it should be a rare one. Default: none.
	Identify string `yaml:"identify"`
	// BatchSize is how many events one request holds, at most 1000. Default: 200.
	BatchSize int `yaml:"batchSize"`
	// Rate is how many events are sent, at most; Heap takes 15000/min for an
	// environment. Default: 200/s.
	Rate         quantity.Rate `yaml:"rate"`
	tracker.Host `yaml:",inline"`
}

// The values of Config.Anonymous.
const (
	anonymousSkip = "skip"
	anonymousHash = "hash"
)

// The vendor's limits.
const (
	maxEvents     = 1000   // of one request
	maxMinute     = 15_000 // events a minute of one environment
	maxRate       = maxMinute / 60.0
	identityRate  = 1000 // events a minute of one identity
	maxUserID     = 1<<53 - 1
	maxIdentity   = 255
	maxEventName  = 1024
	maxProperty   = 1023    // key or value: "below 1024", though the SDK takes 1024
	maxBytes      = 500_000 // of one body; Heap documents no limit
	defaultEvents = 200
	defaultRate   = 200
)

// check returns the base URL to send to, or what is wrong with the configuration.
func (c Config) check() (base string, err error) {
	var faults []error
	if c.AppID == "" {
		faults = append(faults, errors.New("appId: required; it is the environment's id, under Account, Manage, Projects in Heap"))
	}
	if strings.Trim(c.AppID, "0123456789") != "" {
		faults = append(faults, errors.New("appId: want the environment's id, a number such as 2183640915"))
	}
	if c.Anonymous != anonymousSkip && c.Anonymous != anonymousHash {
		faults = append(faults, fmt.Errorf("anonymous: %q is not known; want skip or hash", c.Anonymous))
	}
	if c.Identify != "" && c.HeapUserID == "" {
		faults = append(faults, errors.New("identify: needs heapUserId, the property that names the visitor"))
	}
	if c.BatchSize < 1 || c.BatchSize > maxEvents {
		faults = append(faults, errors.New("batchSize: want 1 to 1000, the most that Heap takes in one request"))
	}
	if c.Rate <= 0 || c.Rate > maxRate {
		faults = append(faults, errors.New("rate: want more than 0 and at most 250/s, the most that Heap takes for one environment"))
	}
	base, err = c.InRegion(c.Region, map[string]string{"us": "https://heapanalytics.com", "eu": "https://c.eu.heap-api.com"})
	return base, errors.Join(append(faults, err)...)
}
