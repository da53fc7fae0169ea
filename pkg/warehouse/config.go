package warehouse

import (
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// Config is the loader's, whatever the warehouse. Its keys stand under
// "warehouse" in the configuration.
type Config struct {
	// Retention is how long rows are kept; 0 keeps them for good.
	Retention time.Duration `yaml:"retention"`
	// Settle is how long after its end a period stays marked open in the
	// reconciliation.
	Settle time.Duration `yaml:"settle"`
	// Interval is how long a record waits at most for others to share its batch.
	Interval time.Duration `yaml:"interval"`
	// MaxRows and MaxBytes end a batch sooner.
	MaxRows  int           `yaml:"maxRows"`
	MaxBytes quantity.Size `yaml:"maxBytes"`
	// Drain bounds how long the loader goes on when it is told to stop, to load
	// what the journal still holds.
	Drain time.Duration `yaml:"drain"`
}

// DefaultConfig keeps 400 days and makes a record visible within about a second.
func DefaultConfig() Config {
	return Config{
		Retention: 9600 * time.Hour,
		Settle:    time.Hour,
		Interval:  500 * time.Millisecond,
		MaxRows:   50_000,
		MaxBytes:  32 * quantity.MiB,
		Drain:     10 * time.Second,
	}
}

// Check says which keys have no sense, and what to do.
func (c Config) Check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Retention != 0 && c.Retention < 24*time.Hour {
		problem("warehouse.retention: %s is less than a day: use at least 24h, or 0 to keep rows for good", c.Retention)
	}
	if c.Settle < 0 {
		problem("warehouse.settle: %s is negative: use 0 or more, such as 1h", c.Settle)
	}
	if c.Interval < time.Millisecond || c.Interval > time.Minute {
		problem("warehouse.interval: %s: use 1ms to 1m, such as 500ms", c.Interval)
	}
	if c.MaxRows < 1 || c.MaxRows > 10_000_000 {
		problem("warehouse.maxRows: %d: use 1 to 10000000, such as 50000", c.MaxRows)
	}
	if c.MaxBytes < quantity.MiB {
		problem("warehouse.maxBytes: %s: use at least 1MiB, such as 32MiB", c.MaxBytes)
	}
	if c.Drain < 0 {
		problem("warehouse.drain: %s is negative: use 0 or more, such as 10s", c.Drain)
	}
	return errors.Join(problems...)
}
