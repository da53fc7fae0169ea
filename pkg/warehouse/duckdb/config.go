package duckdb

import (
	"errors"
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// Config caps what DuckDB takes of the machine. Its keys stand under
// "warehouse" in the configuration.
type Config struct {
	// Memory is what DuckDB may use in all. A query is ended when it takes more
	// than half of it, unless its limits say otherwise.
	Memory quantity.Size `yaml:"memory"`
	// Threads is how many a query or a load may use.
	Threads int `yaml:"threads"`
	// Spill is how much a query may write to <file>.tmp when it runs out of memory.
	Spill quantity.Size `yaml:"spill"`
	// MaxRow is the largest data of a row; a larger one goes to quarantine.
	MaxRow quantity.Size `yaml:"maxRow"`
	// ReadOnly opens a file that no other process holds, to query it only.
	ReadOnly bool `yaml:"-"`
}

// DefaultConfig suits a machine with 2 cores and 2 GiB.
func DefaultConfig() Config {
	return Config{Memory: 512 * quantity.MiB, Threads: 2, Spill: quantity.GiB, MaxRow: 16 * quantity.MiB}
}

// Check says which keys have no sense, and what to do.
func (c Config) Check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Memory < 64*quantity.MiB {
		problem("warehouse.memory: %s is too little for DuckDB: use at least 64MiB, such as 512MiB", c.Memory)
	}
	if c.Threads < 1 || c.Threads > 256 {
		problem("warehouse.threads: %d: use 1 to 256, such as the number of cores", c.Threads)
	}
	if c.Spill < 0 {
		problem("warehouse.spill: %s is negative: use 0 or more, such as 1GiB", c.Spill)
	}
	if c.MaxRow < 64*quantity.KiB || c.MaxRow > quantity.GiB {
		problem("warehouse.maxRow: %s: use 64KiB to 1GiB, such as 16MiB", c.MaxRow)
	}
	return errors.Join(problems...)
}
