package warehouse

import (
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// Limits bounds a query. A zero field takes its default.
type Limits struct {
	Time   time.Duration // default 30s; beyond it the query is interrupted
	Rows   int           // default 10,000; the result says when there were more
	Memory quantity.Size // of the warehouse while it computes, default half of what it has
	Bytes  quantity.Size // of the result, default 64MiB; the result says when there was more
}

// WithDefaults fills the fields that are zero. Memory stays 0: its default is
// the adapter's.
func (l Limits) WithDefaults() Limits {
	if l.Time <= 0 {
		l.Time = 30 * time.Second
	}
	if l.Rows <= 0 {
		l.Rows = 10_000
	}
	if l.Bytes <= 0 {
		l.Bytes = 64 * quantity.MiB
	}
	return l
}

// Result is the answer to a query.
type Result struct {
	Columns []ResultColumn
	// Rows holds nil, bool, json.Number (every number that is finite, as exact
	// text) or string: times as RFC 3339, dates as 2006-01-02, JSON and nested
	// values as text, binary values in base64.
	Rows [][]any
	// Truncated says that there was more than the limits allow; Rows is cut.
	Truncated bool
}

// ResultColumn is a column of a result.
type ResultColumn struct {
	Name string `json:"name"`
	Type string `json:"type"` // as the warehouse names it
}
