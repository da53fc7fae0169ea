package warehouse

import (
	"context"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// arrivals is what the pumps have read and the carrier has not taken yet. A
// pump blocks while it is full.
type arrivals struct {
	events  chan eventArrival
	reports chan reportArrival
	// Where the pumps begin after they opened a reader anew.
	marks loadedMarks
}

type eventArrival struct {
	epoch string
	batch event.Batch
}

type reportArrival struct {
	epoch  string
	seq    uint64
	report event.Checkpoint
}

// The capacities are small: a message of the journal holds hundreds of records.
func newArrivals(marks loadedMarks) *arrivals {
	own := loadedMarks{}
	for k, v := range marks {
		own[k] = v
	}
	return &arrivals{events: make(chan eventArrival, 8), reports: make(chan reportArrival, 32), marks: own}
}

// pumpEvents reads the events stream until ctx ends. After a failure it reads
// on from the last batch it handed over.
func (l *Loader) pumpEvents(ctx context.Context, to *arrivals) error {
	next := map[string]event.Position{}
	return l.repeat(ctx, "read events", nil, func(ctx context.Context, healthy func()) error {
		epoch := l.events.Epoch()
		from, known := next[epoch]
		if !known {
			from = to.marks.events(epoch)
		}
		reader, err := l.events.Read(ctx, from)
		if err != nil {
			return err
		}
		defer reader.Close()
		for {
			batch, err := reader.Next(ctx)
			if err != nil {
				return err
			}
			healthy()
			if len(batch.Records) > 0 {
				epoch = batch.Records[0].Receipt.Epoch
			}
			select {
			case to.events <- eventArrival{epoch, batch}:
				next[epoch] = batch.Next
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}

// pumpOutcomes reads the outcomes stream until ctx ends.
func (l *Loader) pumpOutcomes(ctx context.Context, to *arrivals) error {
	next := map[string]uint64{}
	return l.repeat(ctx, "read outcomes", nil, func(ctx context.Context, healthy func()) error {
		epoch := l.outcomes.Epoch()
		from, known := next[epoch]
		if !known {
			from = to.marks.outcomes(epoch)
		}
		reader, err := l.outcomes.Read(ctx, from)
		if err != nil {
			return err
		}
		defer reader.Close()
		for {
			seq, report, err := reader.Next(ctx)
			if err != nil {
				return err
			}
			healthy()
			select {
			case to.reports <- reportArrival{epoch, seq, report}:
				next[epoch] = seq + 1
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}
