package warehouse

import (
	"context"
	"maps"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// pump reads the two streams ahead of the batcher. Its channels are small: a
// message of the journal holds hundreds of records. Reading blocks while they
// are full.
type pump struct {
	events      Events
	outcomes    Outcomes
	begin       streamPositions // where reading begins, by epoch
	retrier     *retrier
	arrived     chan eventArrival
	checkpoints chan checkpointArrival
}

type eventArrival struct {
	epoch string
	batch event.Batch
}

type checkpointArrival struct {
	epoch      string
	seq        uint64
	checkpoint event.Checkpoint
}

func newPump(events Events, outcomes Outcomes, begin streamPositions, r *retrier) *pump {
	return &pump{
		events: events, outcomes: outcomes, begin: maps.Clone(begin), retrier: r,
		arrived: make(chan eventArrival, 8), checkpoints: make(chan checkpointArrival, 32),
	}
}

// runEvents reads the events stream until ctx ends. After a failure it reads on
// from the last batch it handed over.
func (p *pump) runEvents(ctx context.Context) error {
	next := map[string]event.Position{}
	return p.retrier.repeat(ctx, "read events", nil, func(ctx context.Context, healthy func()) error {
		epoch := p.events.Epoch()
		from, found := next[epoch]
		if !found {
			from = p.begin.events(epoch)
		}
		reader, err := p.events.Read(ctx, from)
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
			case p.arrived <- eventArrival{epoch, batch}:
				next[epoch] = batch.Next
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}

// runOutcomes reads the outcomes stream until ctx ends.
func (p *pump) runOutcomes(ctx context.Context) error {
	next := map[string]uint64{}
	return p.retrier.repeat(ctx, "read outcomes", nil, func(ctx context.Context, healthy func()) error {
		epoch := p.outcomes.Epoch()
		from, found := next[epoch]
		if !found {
			from = p.begin.outcomes(epoch)
		}
		reader, err := p.outcomes.Read(ctx, from)
		if err != nil {
			return err
		}
		defer reader.Close()
		for {
			seq, checkpoint, err := reader.Next(ctx)
			if err != nil {
				return err
			}
			healthy()
			select {
			case p.checkpoints <- checkpointArrival{epoch, seq, checkpoint}:
				next[epoch] = seq + 1
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}
