package lease

import (
	"fmt"
	"time"
)

// Config is the operator's part: the lease section of sparrow.yaml.
type Config struct {
	// TTL is how long a process of a cluster may be silent before others take
	// its work over.
	TTL time.Duration `yaml:"ttl"`
}

// DefaultConfig applies where sparrow.yaml says nothing.
func DefaultConfig() Config { return Config{TTL: 15 * time.Second} }

// Check says what is wrong with the configuration, and names the key.
func (c Config) Check() error {
	if c.TTL < time.Second || c.TTL > 5*time.Minute {
		return fmt.Errorf("ttl: %v: use 1s to 5m", c.TTL)
	}
	return nil
}
