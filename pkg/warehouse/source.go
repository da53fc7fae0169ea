package warehouse

import (
	"context"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Events is the journal's events stream, as the loader reads it.
type Events interface {
	// Epoch names the stream; it changes when the stream is made anew.
	Epoch() string
	// Read opens a reader that starts at from, or at the first record kept.
	Read(ctx context.Context, from event.Position) (EventReader, error)
	// End is the position after the last record.
	End(ctx context.Context) (event.Position, error)
}

// EventReader reads the events stream in order.
type EventReader interface {
	// Next waits for a batch, its receipts and duplicates stamped. When ctx
	// ends first, the batch is the next call's.
	Next(ctx context.Context) (event.Batch, error)
	// Close releases the reader.
	Close() error
}

// Outcomes is the journal's outcomes stream, as the loader reads it.
type Outcomes interface {
	// Epoch names the stream; it changes when the stream is made anew.
	Epoch() string
	// Read opens a reader that starts at the sequence from, or at the first
	// report kept. A reader skips, and tells, what is damaged.
	Read(ctx context.Context, from uint64) (OutcomeReader, error)
	// End is the sequence after the last report.
	End(ctx context.Context) (uint64, error)
}

// OutcomeReader reads the outcomes stream in order.
type OutcomeReader interface {
	// Next waits for a report. When ctx ends first, the report is the next call's.
	Next(ctx context.Context) (seq uint64, report event.Checkpoint, err error)
	// Close releases the reader.
	Close() error
}
