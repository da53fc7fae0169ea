package duckdb

import "time"

// Options are what Open may be told beside the Config.
type Options struct {
	// Settle is how long after its end a day stays open in the reconciliation.
	Settle time.Duration
}
