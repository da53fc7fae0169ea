package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// outcomeLog keeps the lanes' checkpoints in the journal's outcomes stream, and lets
// the journal trim what a lane's newest checkpoint makes unnecessary.
type outcomeLog struct{ journal *journal.Journal }

// Last implements delivery.OutcomeLog.
func (l outcomeLog) Last(ctx context.Context, tracker string) (event.Checkpoint, uint64, bool, error) {
	seq, payload, ok, err := l.journal.Last(ctx, tracker)
	if err != nil || !ok {
		return event.Checkpoint{}, 0, false, err
	}
	var checkpoint event.Checkpoint
	if err := checkpoint.UnmarshalBinary(payload); err != nil {
		return event.Checkpoint{}, 0, false, fmt.Errorf("last checkpoint of %s: %w", tracker, err)
	}
	return checkpoint, seq, true, nil
}

// Publish implements delivery.OutcomeLog.
func (l outcomeLog) Publish(ctx context.Context, r *event.Checkpoint, after uint64) (uint64, error) {
	payload, err := r.AppendBinary(nil)
	if err != nil {
		return 0, fmt.Errorf("encode checkpoint: %w", err)
	}
	seq, err := l.journal.Publish(ctx, r.Tracker, payload, after)
	if errors.Is(err, journal.ErrFenced) {
		return 0, fmt.Errorf("%w: %w", delivery.ErrFenced, err)
	}
	if err != nil {
		return 0, err
	}
	if r.Run != 0 {
		return seq, nil // a replay pins nothing
	}
	return seq, l.pin(ctx, r, seq)
}

// pin keeps what the lane needs after a checkpoint: the events that it may still
// read, and the checkpoint itself, where the lane goes on after a restart. A closed lane needs nothing.
func (l outcomeLog) pin(ctx context.Context, r *event.Checkpoint, seq uint64) error {
	reader := laneName(r.Tracker)
	if r.Removed {
		return errors.Join(l.journal.Events().Unpin(ctx, reader), l.journal.Outcomes().Unpin(ctx, reader))
	}
	return errors.Join(l.journal.Events().Pin(ctx, reader, delivery.EarliestNeeded(r).Seq), l.journal.Outcomes().Pin(ctx, reader, seq))
}

// checkpoints reads the outcomes stream for the loader.
type checkpoints struct{ journal *journal.Journal }

// Epoch implements warehouse.Outcomes.
func (r checkpoints) Epoch() string { return r.journal.Outcomes().Epoch() }

// End implements warehouse.Outcomes.
func (r checkpoints) End(ctx context.Context) (uint64, error) {
	_, end, err := r.journal.Outcomes().Bounds(ctx)
	return end, err
}

// Read implements warehouse.Outcomes.
func (r checkpoints) Read(ctx context.Context, from uint64) (warehouse.OutcomeReader, error) {
	reader, err := r.journal.Outcomes().Read(ctx, from)
	if err != nil {
		return nil, err
	}
	return checkpointReader{reader}, nil
}

type checkpointReader struct{ reader *journal.Reader }

// Next implements warehouse.OutcomeReader.
func (r checkpointReader) Next(ctx context.Context) (uint64, event.Checkpoint, error) {
	for {
		message, err := r.reader.Next(ctx)
		if err != nil {
			return 0, event.Checkpoint{}, err
		}
		if len(message.Records) == 0 {
			continue // the journal reports what was lost before it
		}
		var checkpoint event.Checkpoint
		if err := checkpoint.UnmarshalBinary(message.Records[0]); err != nil {
			return 0, event.Checkpoint{}, fmt.Errorf("checkpoint at %d: %w", message.Seq, err)
		}
		return message.Seq, checkpoint, nil
	}
}

// Close implements warehouse.OutcomeReader.
func (r checkpointReader) Close() error { return r.reader.Close() }
