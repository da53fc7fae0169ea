package journal

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// Config is the operator's part: the journal section of sparrow.yaml.
type Config struct {
	// URL of a NATS cluster with JetStream, "nats://host:4222", several separated
	// by commas. Empty means a server inside this process.
	URL string `yaml:"url"`
	// MaxAge is how long a lane keeps trying to send an event before it gives it
	// up as expired. The journal itself deletes nothing for its age.
	MaxAge time.Duration `yaml:"maxAge"`
	// MaxBytes bounds both streams together; an eighth of it is the outcomes'.
	MaxBytes quantity.Size `yaml:"maxBytes"`
	// MinFree is the free space on the disk below which nothing is appended
	// (embedded only).
	MinFree quantity.Size `yaml:"minFree"`
	// Replicas of the streams in a cluster: 1, 3 or 5.
	Replicas int `yaml:"replicas"`
}

// DefaultConfig applies where sparrow.yaml says nothing.
func DefaultConfig() Config {
	return Config{MaxAge: 168 * time.Hour, MaxBytes: 10 * quantity.GiB, MinFree: quantity.GiB, Replicas: 1}
}

const minBytes = 32 * quantity.MiB

// Check says what is wrong with the configuration, and names the key.
func (c Config) Check() error {
	var errs []error
	if c.MaxAge < time.Hour {
		errs = append(errs, fmt.Errorf("maxAge: %v is too short, use at least 1h", c.MaxAge))
	}
	if c.MaxBytes < minBytes {
		errs = append(errs, fmt.Errorf("maxBytes: %v is too small, use at least %v", c.MaxBytes, minBytes))
	}
	if c.MinFree < 0 {
		errs = append(errs, errors.New("minFree: must not be negative, use 0 to switch the check off"))
	}
	if c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5 {
		errs = append(errs, fmt.Errorf("replicas: %d is not possible, use 1, 3 or 5", c.Replicas))
	}
	if c.Replicas > 1 && c.URL == "" {
		errs = append(errs, fmt.Errorf("replicas: %d needs a cluster, set url or use 1", c.Replicas))
	}
	return errors.Join(append(errs, checkURL(c.URL))...)
}

// checkURL does not repeat the address in its errors: it may contain a password.
func checkURL(list string) error {
	if list == "" {
		return nil
	}
	for address := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil || u.Host == "" {
			return errors.New("url: want nats://host:4222, several separated by commas")
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return fmt.Errorf("url: scheme %q is not known, use nats:// or tls://", u.Scheme)
		}
	}
	return nil
}

// eventsBytes and outcomesBytes split MaxBytes, so that a full stream of events
// never keeps a lane from publishing its outcomes.
func (c Config) eventsBytes() int64   { return int64(c.MaxBytes) - c.outcomesBytes() }
func (c Config) outcomesBytes() int64 { return int64(c.MaxBytes) / 8 }
