package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Warehouse is what an adapter implements. All methods are safe for concurrent
// use. An error may be tried again unless it is marked fault.Permanent.
type Warehouse interface {
	// Prepare makes the tables that are missing. It is called before anything
	// else and may be called again.
	Prepare(ctx context.Context) error

	// Positions returns how far each stream of each epoch is loaded.
	Positions(ctx context.Context) ([]StreamPosition, error)

	// Names returns the event names counted apart for a source and day.
	Names(ctx context.Context, day time.Time, source string) ([]string, error)

	// Load stores all of the batch and its positions in one transaction, or
	// nothing. What lies before the stored positions is left out (Batch.After), so
	// that loading a batch again changes nothing. When rows can never be stored
	// it stores nothing and returns a *RowsError that names them; the caller
	// sets their Refused, or their Typing, and loads the batch again.
	Load(ctx context.Context, batch *Batch) error

	// SavePlan keeps the text of a plan's version; a version already there is
	// left as it is.
	SavePlan(ctx context.Context, version, text string) error

	// ApplyViews makes the views anew. Columns of earlier calls stay, unless
	// drop is asked (MergeColumns).
	ApplyViews(ctx context.Context, columns []Column, drop bool) error

	// Query runs one SELECT of a user's, which can read tables and views and
	// nothing else, within limits. Placeholders ($1, $2, ...) take the arguments.
	// Errors say what is wrong with the query, or which limit it met (ErrLimit).
	Query(ctx context.Context, query string, limits Limits, args ...any) (*Result, error)

	// Expire deletes the rows of days before the given one.
	Expire(ctx context.Context, before time.Time) error

	// Close releases the warehouse after the calls under way.
	Close() error
}

// Stream names one of the journal's two streams.
type Stream string

// The streams.
const (
	EventsStream   Stream = "events"
	OutcomesStream Stream = "outcomes"
)

// StreamPosition says how far a stream is loaded: everything before Next is.
type StreamPosition struct {
	Stream Stream
	Epoch  string
	// Next is the first position not loaded. Outcomes are numbered by sequence
	// alone; their Index is 0.
	Next   event.Position
	Loaded time.Time // of the last batch; only Positions fills it
}

// ErrLimit is wrapped by the error of a query that met its time or memory limit.
var ErrLimit = errors.New("over the query's limit")

// RowError says why a raw row can never be stored or, with a Typing, why no more
// than that of its typed columns can be made.
type RowError struct {
	Row    int // index in Batch.Raw
	Reason string
	Typing Typing
}

// RowsError is returned by Load for rows that can never be stored as they are.
type RowsError struct{ Rows []RowError }

// Error names the first row and how many more there are.
func (e *RowsError) Error() string {
	if len(e.Rows) == 0 {
		return "rows cannot be stored"
	}
	return fmt.Sprintf("%d rows cannot be stored, the first: %s", len(e.Rows), e.Rows[0].Reason)
}
