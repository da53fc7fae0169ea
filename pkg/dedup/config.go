package dedup

import (
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

const (
	minWindow = time.Second
	minBytes  = 8 * quantity.MiB
)

// Config is the operator's part of the duplicate index.
type Config struct {
	// Window is how long after an original a repeat is recognised. It should be
	// longer than clients keep an event. At least a second.
	Window time.Duration `yaml:"window"`
	// MaxBytes is the budget on disk, at least 8 MiB. An original takes about 40
	// bytes. Compactions may exceed it for a moment.
	MaxBytes quantity.Size `yaml:"maxBytes"`
}

// DefaultConfig is seven days and 1 GiB: about 25 million originals.
func DefaultConfig() Config {
	return Config{Window: 7 * 24 * time.Hour, MaxBytes: quantity.GiB}
}

// Check reports the first value that cannot work, and what to do about it.
func (c Config) Check() error {
	if c.Window < minWindow {
		return fmt.Errorf("window: %s is too short; give at least %s, such as 168h", c.Window, minWindow)
	}
	if c.MaxBytes < minBytes {
		return fmt.Errorf("maxBytes: %s is too small; give at least %s, such as 1GiB", c.MaxBytes, minBytes)
	}
	return nil
}
