package delivery

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

var (
	// ErrGone is what Source.Get returns for a record that left the journal.
	ErrGone = errors.New("the record left the journal")
	// ErrFenced is what OutcomeLog.Publish returns when another process has
	// published for this lane since.
	ErrFenced = errors.New("another process runs this lane")
)

// Events is the journal's events stream as a lane reads it, duplicates flagged.
// It is used from one goroutine at a time.
type Events interface {
	// Read opens a reader at from, which may lie within a message.
	Read(ctx context.Context, from event.Position) (Reader, error)
	// Bounds returns the position of the first record that is still there and
	// the position after the last one. They are equal when there is none.
	Bounds(ctx context.Context) (first, end event.Position, err error)
	// At returns the position of the first record received at t or later.
	At(ctx context.Context, t time.Time) (event.Position, error)
	// Get reads one record. It returns ErrGone when it left the journal.
	Get(ctx context.Context, p event.Position) (event.Record, error)
	// Epoch names the stream that positions belong to.
	Epoch() string
}

// Reader reads batches in order.
type Reader interface {
	// Next waits for the next batch. When ctx ends first it returns ctx's error
	// and the batch comes with a later call.
	Next(ctx context.Context) (event.Batch, error)
	Close() error
}

// OutcomeLog is the lane's own subject of the outcomes stream.
type OutcomeLog interface {
	// Last returns the tracker's last checkpoint and its sequence in the stream;
	// ok is false when there is none, and seq then is 0.
	Last(ctx context.Context, tracker string) (checkpoint event.Checkpoint, seq uint64, ok bool, err error)
	// Publish makes a checkpoint durable before it returns, provided that the
	// tracker's last checkpoint is the one at sequence after; otherwise it returns
	// ErrFenced. Any other error leaves open whether the checkpoint was accepted.
	Publish(ctx context.Context, r *event.Checkpoint, after uint64) (seq uint64, err error)
}

// Tracer applies plan, consent, filters and sanitizer to one record.
type Tracer interface {
	// Trace fills into with what may leave for the tracker when the decision's
	// outcome is event.Pending.
	Trace(rec *event.Record, tracker string, into *event.Event) event.Decision
	// PlanVersion names the plan in force.
	PlanVersion() string
}

// Deps is what a lane works with. Source, OutcomeLog and Tracer are needed; the
// rest may be nil or zero.
type Deps struct {
	Source     Events
	OutcomeLog OutcomeLog
	// Tracer returns the tracer in force. A lane asks for it when a window
	// begins to fill, so that a reload takes effect between windows and each
	// checkpoint is of one plan.
	Tracer func() Tracer
	// Reporter receives each failed round trip and internal error.
	Reporter   fault.Reporter
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Transport replaces the lane's own HTTP transport, in tests.
	Transport http.RoundTripper
	// Sanitize removes personal data from what a vendor responded or was sent,
	// before it is stored or shown. It is called concurrently.
	Sanitize func(string) string
	// Release is Sparrow's own version, for the User-Agent header and checkpoints.
	Release string
}

func (d Deps) check() error {
	switch {
	case d.Source == nil:
		return errors.New("no source")
	case d.OutcomeLog == nil:
		return errors.New("no outcome log")
	case d.Tracer == nil:
		return errors.New("no tracer")
	}
	return nil
}

func (d Deps) withDefaults() Deps {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Reporter == nil {
		d.Reporter = noReporter{}
	}
	if d.Sanitize == nil {
		d.Sanitize = func(s string) string { return s }
	}
	return d
}

// noReporter drops every incident.
type noReporter struct{}

func (noReporter) Report(fault.Incident) {}
