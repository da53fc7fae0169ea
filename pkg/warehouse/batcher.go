package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	// maxWaiting bounds the checkpoints that wait for the events they speak of.
	maxWaiting = 64
	// firstSeq is where a stream begins: one that ends there is empty.
	firstSeq = 1
)

// batcher is the loader's one loop: it gathers what the pump reads into a batch
// and loads it.
type batcher struct {
	config    Config
	warehouse Warehouse
	events    Events
	outcomes  Outcomes
	pump      *pump
	names     *countedNames
	loaded    func(event.Position, uint64)
	retrier   *retrier
	untyped   *untyped
	metrics   *metrics

	batched streamPositions // up to here everything is loaded or in the batch
	batch   *Batch
	bytes   int
	waiting []checkpointArrival // for events that are not in the batch yet
	due     *time.Timer         // when the batch is to be loaded
	dueRuns bool
}

func newBatcher(l *Loader, p *pump, loaded streamPositions) *batcher {
	due := time.NewTimer(time.Hour)
	due.Stop()
	return &batcher{
		config: l.config, warehouse: l.warehouse, events: l.events, outcomes: l.outcomes, pump: p, names: newCountedNames(l.warehouse.Names),
		loaded: l.loaded, retrier: l.retrier, untyped: l.untyped, metrics: l.metrics, batched: loaded, batch: &Batch{}, due: due,
	}
}

// run loads until ctx ends, then drains until work ends.
func (b *batcher) run(ctx, work context.Context) error {
	defer b.due.Stop()
	check := time.NewTicker(measureEvery)
	defer check.Stop()
	for {
		var err error
		select {
		case e := <-b.pump.arrived:
			err = b.addEvents(work, e)
		case c := <-b.acceptCheckpoints():
			err = b.addCheckpoint(work, c)
		case <-b.due.C:
			err = b.flush(work)
		case <-check.C:
			err = b.addUncoverable(work)
		case <-ctx.Done():
			return b.drain(work)
		}
		if err != nil {
			return err
		}
	}
}

// acceptCheckpoints is the channel of the checkpoints, or nil while too many wait.
func (b *batcher) acceptCheckpoints() <-chan checkpointArrival {
	if len(b.waiting) >= maxWaiting {
		return nil
	}
	return b.pump.checkpoints
}

// drain loads what the journal held when it began.
func (b *batcher) drain(work context.Context) error {
	reached, err := b.target(work)
	if err != nil {
		b.retrier.report("drain", fmt.Errorf("drain loader: %w", err), 1, nil)
		return b.flush(work)
	}
	for !reached() {
		select {
		case e := <-b.pump.arrived:
			err = b.addEvents(work, e)
		case c := <-b.acceptCheckpoints():
			err = b.addCheckpoint(work, c)
		case <-b.due.C:
			err = b.flush(work)
		case <-work.Done():
			err = work.Err()
		}
		if err != nil {
			return err
		}
	}
	return b.flush(work)
}

// target is what to reach before the loader ends: the present ends of both
// streams, or a checkpoint that waits for events the journal does not have.
func (b *batcher) target(ctx context.Context) (reached func() bool, err error) {
	events, err := b.events.End(ctx)
	if err != nil {
		return nil, err
	}
	outcomes, err := b.outcomes.End(ctx)
	if err != nil {
		return nil, err
	}
	eventsEpoch, outcomesEpoch := b.events.Epoch(), b.outcomes.Epoch()
	return func() bool {
		if max(b.batched.events(eventsEpoch).Seq, firstSeq) < events.Seq {
			return false
		}
		return len(b.waiting) > 0 || max(b.batched.outcomes(outcomesEpoch), firstSeq) >= outcomes
	}, nil
}

// addEvents puts a message of the events stream into the batch.
func (b *batcher) addEvents(ctx context.Context, arrival eventArrival) error {
	if b.batch.Events.Epoch != "" && b.batch.Events.Epoch != arrival.epoch {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	if lost := arrival.batch.Lost; lost > 0 {
		b.metrics.lost.Add(float64(lost))
		b.retrier.report("journal gap", fmt.Errorf("read events: %d messages before %s are missing or damaged", lost, arrival.batch.Next), 1, nil)
	}
	from := b.batched.events(arrival.epoch)
	for i := range arrival.batch.Records {
		record := &arrival.batch.Records[i]
		if record.Receipt.Before(from) {
			continue // a reader that was opened anew began within a message
		}
		row, err := NewRawRow(record)
		if err != nil {
			return err
		}
		if b.metrics.oldest.Load() == 0 {
			b.metrics.oldest.Store(row.Timestamp.UnixMicro())
		}
		b.batch.Raw = append(b.batch.Raw, row)
		b.bytes += len(row.Data) + len(row.Context) + len(row.Translated)
	}
	if from.Before(arrival.batch.Next) {
		b.batch.Events = StreamPosition{Stream: EventsStream, Epoch: arrival.epoch, Next: arrival.batch.Next}
		b.batched.set(b.batch.Events)
	}
	return b.addCovered(ctx)
}

// addCheckpoint has a checkpoint wait until the events it speaks of are in the batch.
func (b *batcher) addCheckpoint(ctx context.Context, arrival checkpointArrival) error {
	if arrival.seq < b.batched.outcomes(arrival.epoch) {
		return nil
	}
	b.waiting = append(b.waiting, arrival)
	return b.addCovered(ctx)
}

// addCovered moves waiting checkpoints into the batch, in order, as far as their
// events are there, and loads the batch when it is full.
func (b *batcher) addCovered(ctx context.Context) error {
	for len(b.waiting) > 0 && b.covered(&b.waiting[0].checkpoint) {
		if err := b.addFirstWaiting(ctx); err != nil {
			return err
		}
	}
	return b.flushOrWait(ctx)
}

// addFirstWaiting moves the first waiting checkpoint into the batch.
func (b *batcher) addFirstWaiting(ctx context.Context) error {
	arrival := b.waiting[0]
	if b.batch.Outcomes.Epoch != "" && b.batch.Outcomes.Epoch != arrival.epoch || b.full() {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.waiting = b.waiting[1:]
	b.batch.AddCheckpoint(arrival.seq, &arrival.checkpoint)
	b.batch.Outcomes = StreamPosition{Stream: OutcomesStream, Epoch: arrival.epoch, Next: event.Position{Seq: arrival.seq + 1}}
	b.batched.set(b.batch.Outcomes)
	return nil
}

// covered says whether every event that the checkpoint speaks of is loaded or in
// the batch. No more events come of an epoch that has ended.
func (b *batcher) covered(c *event.Checkpoint) bool {
	if c.Epoch != b.events.Epoch() && c.Epoch != b.batch.Events.Epoch {
		return true
	}
	return !b.batched.events(c.Epoch).Before(lastNeeded(c))
}

func (b *batcher) full() bool {
	return len(b.batch.Raw)+len(b.batch.Deliveries)+len(b.batch.Filtered) >= b.config.MaxRows || b.bytes >= int(b.config.MaxBytes)
}

// flushOrWait loads a full batch. It has any other loaded after the interval.
func (b *batcher) flushOrWait(ctx context.Context) error {
	if b.full() {
		return b.flush(ctx)
	}
	if !b.batch.Empty() && !b.dueRuns {
		b.dueRuns = true
		b.due.Reset(b.config.Interval)
	}
	return nil
}

// flush loads the batch, trying until ctx ends.
func (b *batcher) flush(ctx context.Context) error {
	b.due.Stop()
	b.dueRuns = false
	if b.batch.Empty() {
		return nil
	}
	started := time.Now()
	assigned := false
	err := b.retrier.repeat(ctx, loadBatch, b.batch.receipts(), func(ctx context.Context, _ func()) error {
		if !assigned {
			if err := b.names.assign(ctx, b.batch); err != nil {
				return err
			}
			assigned = true
		}
		return b.load(ctx)
	})
	if err != nil {
		return err
	}
	b.metrics.count(b.batch, time.Since(started))
	b.metrics.oldest.Store(0)
	done := b.batch
	b.batch, b.bytes = &Batch{Raw: make([]RawRow, 0, len(done.Raw))}, 0
	b.loaded(b.batched.events(b.events.Epoch()), b.batched.outcomes(b.outcomes.Epoch()))
	return nil
}

// load loads the batch, refusing rows for as long as the warehouse names some.
func (b *batcher) load(ctx context.Context) error {
	for {
		err := b.warehouse.Load(ctx, b.batch)
		rows, found := errors.AsType[*RowsError](err)
		if !found {
			return err
		}
		if !b.refuse(rows) {
			return fmt.Errorf("rows refused again: %w", err)
		}
	}
}

// refuse marks rows that can never be stored, or never be typed; false if there is
// no new one.
func (b *batcher) refuse(rows *RowsError) bool {
	fresh := 0
	var receipts []string
	var partial []UntypedRow
	for _, bad := range rows.Rows {
		if bad.Row < 0 || bad.Row >= len(b.batch.Raw) || b.batch.Raw[bad.Row].Refused != "" {
			continue
		}
		row := &b.batch.Raw[bad.Row]
		if bad.Typing > row.Typing {
			row.Typing = bad.Typing
			partial = append(partial, UntypedRow{row.Receipt.String(), bad.Reason})
			continue
		}
		row.Refused = text(bad.Reason)
		if row.Refused == "" {
			row.Refused = "refused by the warehouse"
		}
		if len(receipts) < 10 {
			receipts = append(receipts, row.Receipt.String())
		}
		fresh++
	}
	b.untyped.add(partial)
	if fresh > 0 {
		b.metrics.quarantined.Add(float64(fresh))
		b.retrier.report("quarantine", rows, 1, receipts)
	}
	return fresh+len(partial) > 0
}

// addUncoverable moves on a checkpoint that speaks of events which the journal
// does not have: they will never come.
func (b *batcher) addUncoverable(ctx context.Context) error {
	end, err := b.events.End(ctx)
	if err != nil {
		return nil // the pump reports a journal that is away
	}
	at := b.batched.events(b.events.Epoch())
	if len(b.waiting) == 0 || at.Before(end) || len(b.pump.arrived) > 0 {
		return nil
	}
	first := &b.waiting[0]
	b.retrier.report("checkpoint ahead of journal", fmt.Errorf("load checkpoint %d of %s: it speaks of events up to %s, the journal ends at %s",
		first.seq, first.checkpoint.Tracker, lastNeeded(&first.checkpoint), end), 1, nil)
	if err := b.addFirstWaiting(ctx); err != nil {
		return err
	}
	return b.addCovered(ctx)
}
