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

// The names under which readers tell the journal what they still need.
const (
	loaderReader = "loader"
	indexReaders = "duplicates" // the beginning of each index's name
	lanePrefix   = "lane-"
)

func laneReader(tracker string) string { return lanePrefix + tracker }

// ledger keeps the lanes' reports in the journal's outcomes stream, and lets the
// journal forget what a lane's newest report makes unnecessary.
type ledger struct{ journal *journal.Journal }

// Last implements delivery.Ledger.
func (l ledger) Last(ctx context.Context, tracker string) (event.Checkpoint, uint64, bool, error) {
	seq, payload, ok, err := l.journal.Last(ctx, tracker)
	if err != nil || !ok {
		return event.Checkpoint{}, 0, false, err
	}
	var report event.Checkpoint
	if err := report.UnmarshalBinary(payload); err != nil {
		return event.Checkpoint{}, 0, false, fmt.Errorf("last report of %s: %w", tracker, err)
	}
	return report, seq, true, nil
}

// Publish implements delivery.Ledger.
func (l ledger) Publish(ctx context.Context, r *event.Checkpoint, after uint64) (uint64, error) {
	payload, err := r.AppendBinary(nil)
	if err != nil {
		return 0, fmt.Errorf("encode report: %w", err)
	}
	seq, err := l.journal.Publish(ctx, r.Tracker, payload, after)
	if errors.Is(err, journal.ErrFenced) {
		return 0, fmt.Errorf("%w: %w", delivery.ErrFenced, err)
	}
	if err != nil {
		return 0, err
	}
	if r.Run != 0 {
		return seq, nil // a replay holds nothing of its own
	}
	return seq, l.hold(ctx, r, seq)
}

// hold tells the journal what the lane needs after a report: the events that it
// may still read, and the report itself, which is where the lane goes on after a
// restart. A closed lane needs nothing.
func (l ledger) hold(ctx context.Context, r *event.Checkpoint, seq uint64) error {
	reader := laneReader(r.Tracker)
	if r.Closed {
		return errors.Join(l.journal.Events().Unpin(ctx, reader), l.journal.Outcomes().Unpin(ctx, reader))
	}
	return errors.Join(l.journal.Events().Pin(ctx, reader, delivery.EarliestNeeded(r).Seq), l.journal.Outcomes().Pin(ctx, reader, seq))
}

// reports reads the outcomes stream for the loader.
type reports struct{ journal *journal.Journal }

// Epoch implements warehouse.Outcomes.
func (r reports) Epoch() string { return r.journal.Outcomes().Epoch() }

// End implements warehouse.Outcomes.
func (r reports) End(ctx context.Context) (uint64, error) {
	_, end, err := r.journal.Outcomes().Bounds(ctx)
	return end, err
}

// Read implements warehouse.Outcomes.
func (r reports) Read(ctx context.Context, from uint64) (warehouse.OutcomeReader, error) {
	reader, err := r.journal.Outcomes().Read(ctx, from)
	if err != nil {
		return nil, err
	}
	return reportReader{reader}, nil
}

type reportReader struct{ reader *journal.Reader }

// Next implements warehouse.OutcomeReader.
func (r reportReader) Next(ctx context.Context) (uint64, event.Checkpoint, error) {
	for {
		message, err := r.reader.Next(ctx)
		if err != nil {
			return 0, event.Checkpoint{}, err
		}
		if len(message.Records) == 0 {
			continue // what was lost before it is the journal's to tell
		}
		var report event.Checkpoint
		if err := report.UnmarshalBinary(message.Records[0]); err != nil {
			return 0, event.Checkpoint{}, fmt.Errorf("report at %d: %w", message.Seq, err)
		}
		return message.Seq, report, nil
	}
}

// Close implements warehouse.OutcomeReader.
func (r reportReader) Close() error { return r.reader.Close() }
