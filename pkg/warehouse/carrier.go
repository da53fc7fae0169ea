package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	// maxHeld bounds the reports that wait for the events they speak of.
	maxHeld = 64
	// firstSeq is where a stream begins: one that ends there is empty.
	firstSeq = 1
)

// carrier is the loader's one loop: it gathers what the pumps read into a batch
// and loads it.
type carrier struct {
	*Loader
	arrivals *arrivals
	ledger   *ledger

	gathered loadedMarks // up to here everything is loaded or in the batch
	batch    *Batch
	bytes    int
	oldest   time.Time // receipt of the batch's first record
	held     []reportArrival
	due      *time.Timer // when the batch is to be loaded
	waiting  bool        // due runs
}

func newCarrier(l *Loader, a *arrivals, marks loadedMarks) *carrier {
	due := time.NewTimer(time.Hour)
	due.Stop()
	return &carrier{
		Loader: l, arrivals: a, ledger: newLedger(l.warehouse.Names), gathered: marks, batch: &Batch{}, due: due,
	}
}

// run loads until ctx ends, then drains until work ends.
func (c *carrier) run(ctx, work context.Context) error {
	defer c.due.Stop()
	look := time.NewTicker(lookAround)
	defer look.Stop()
	for {
		var err error
		select {
		case e := <-c.arrivals.events:
			err = c.addEvents(work, e)
		case r := <-c.reports():
			err = c.addReport(work, r)
		case <-c.due.C:
			err = c.flush(work)
		case <-look.C:
			err = c.look(work)
		case <-ctx.Done():
			return c.drain(work)
		}
		if err != nil {
			return err
		}
	}
}

// reports is the channel to take reports from: none while too many are held.
func (c *carrier) reports() <-chan reportArrival {
	if len(c.held) >= maxHeld {
		return nil
	}
	return c.arrivals.reports
}

// drain loads what the journal held when it began.
func (c *carrier) drain(work context.Context) error {
	reached, err := c.target(work)
	if err != nil {
		c.incident("drain", fmt.Errorf("drain loader: %w", err), 1, nil)
		return c.flush(work)
	}
	for !reached() {
		select {
		case e := <-c.arrivals.events:
			err = c.addEvents(work, e)
		case r := <-c.reports():
			err = c.addReport(work, r)
		case <-c.due.C:
			err = c.flush(work)
		case <-work.Done():
			err = work.Err()
		}
		if err != nil {
			return err
		}
	}
	return c.flush(work)
}

// target is what to reach before the loader ends: the present ends of both
// streams, or a report that waits for events the journal does not have.
func (c *carrier) target(ctx context.Context) (reached func() bool, err error) {
	events, err := c.events.End(ctx)
	if err != nil {
		return nil, err
	}
	outcomes, err := c.outcomes.End(ctx)
	if err != nil {
		return nil, err
	}
	eventsEpoch, outcomesEpoch := c.events.Epoch(), c.outcomes.Epoch()
	return func() bool {
		if max(c.gathered.events(eventsEpoch).Seq, firstSeq) < events.Seq {
			return false
		}
		return len(c.held) > 0 || max(c.gathered.outcomes(outcomesEpoch), firstSeq) >= outcomes
	}, nil
}

// addEvents puts a message of the events stream into the batch.
func (c *carrier) addEvents(ctx context.Context, arrival eventArrival) error {
	if c.batch.Events.Epoch != "" && c.batch.Events.Epoch != arrival.epoch {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	if lost := arrival.batch.Lost; lost > 0 {
		c.metrics.lost.Add(float64(lost))
		c.incident("journal gap", fmt.Errorf("read events: %d messages before %s are missing or damaged", lost, arrival.batch.Next), 1, nil)
	}
	from := c.gathered.events(arrival.epoch)
	for i := range arrival.batch.Records {
		record := &arrival.batch.Records[i]
		if record.Receipt.Before(from) {
			continue // a reader that was opened anew began within a message
		}
		row, err := NewRawRow(record)
		if err != nil {
			return err
		}
		if c.oldest.IsZero() {
			c.oldest = row.Timestamp
			c.metrics.oldest.Store(row.Timestamp.UnixMicro())
		}
		c.batch.Raw = append(c.batch.Raw, row)
		c.bytes += len(row.Data) + len(row.Context) + len(row.Translated)
	}
	if from.Before(arrival.batch.Next) {
		c.batch.Events = StreamPosition{Stream: EventsStream, Epoch: arrival.epoch, Next: arrival.batch.Next}
		c.gathered.set(c.batch.Events)
	}
	return c.admit(ctx)
}

// addReport holds a report until the events it speaks of are in the batch.
func (c *carrier) addReport(ctx context.Context, arrival reportArrival) error {
	if arrival.seq < c.gathered.outcomes(arrival.epoch) {
		return nil
	}
	c.held = append(c.held, arrival)
	return c.admit(ctx)
}

// admit moves held reports into the batch as far as events allow, in order, and
// loads the batch when it is full.
func (c *carrier) admit(ctx context.Context) error {
	for len(c.held) > 0 && c.covered(&c.held[0].report) {
		if err := c.take(ctx); err != nil {
			return err
		}
	}
	return c.flushOrWait(ctx)
}

// take moves the first held report into the batch.
func (c *carrier) take(ctx context.Context) error {
	arrival := c.held[0]
	if c.batch.Outcomes.Epoch != "" && c.batch.Outcomes.Epoch != arrival.epoch || c.full() {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	c.held = c.held[1:]
	c.batch.AddCheckpoint(arrival.seq, &arrival.report)
	c.batch.Outcomes = StreamPosition{Stream: OutcomesStream, Epoch: arrival.epoch, Next: event.Position{Seq: arrival.seq + 1}}
	c.gathered.set(c.batch.Outcomes)
	return nil
}

// covered reports whether every event the report speaks of is loaded or in the
// batch. Nothing more can come of an epoch that has ended.
func (c *carrier) covered(r *event.Checkpoint) bool {
	if r.Epoch != c.events.Epoch() && r.Epoch != c.batch.Events.Epoch {
		return true
	}
	return !c.gathered.events(r.Epoch).Before(reach(r))
}

func (c *carrier) full() bool {
	return len(c.batch.Raw)+len(c.batch.Deliveries)+len(c.batch.Filtered) >= c.config.MaxRows || c.bytes >= int(c.config.MaxBytes)
}

// flushOrWait loads a full batch, and sees to it that another is loaded in time.
func (c *carrier) flushOrWait(ctx context.Context) error {
	if c.full() {
		return c.flush(ctx)
	}
	if !c.batch.Empty() && !c.waiting {
		c.waiting = true
		c.due.Reset(c.config.Interval)
	}
	return nil
}

// flush loads the batch, trying until ctx ends.
func (c *carrier) flush(ctx context.Context) error {
	c.due.Stop()
	c.waiting = false
	if c.batch.Empty() {
		return nil
	}
	started := time.Now()
	assigned := false
	err := c.repeat(ctx, loadBatch, c.batch.receipts(), func(ctx context.Context, _ func()) error {
		if !assigned {
			if err := c.ledger.assign(ctx, c.batch); err != nil {
				return err
			}
			assigned = true
		}
		return c.load(ctx)
	})
	if err != nil {
		return err
	}
	c.metrics.count(c.batch, time.Since(started))
	c.metrics.oldest.Store(0)
	done := c.batch
	c.batch, c.bytes, c.oldest = &Batch{Raw: make([]RawRow, 0, len(done.Raw))}, 0, time.Time{}
	c.loaded(c.gathered.events(c.events.Epoch()), c.gathered.outcomes(c.outcomes.Epoch()))
	return nil
}

// load loads the batch, refusing rows for as long as the warehouse names some.
func (c *carrier) load(ctx context.Context) error {
	for {
		err := c.warehouse.Load(ctx, c.batch)
		rows, found := errors.AsType[*RowsError](err)
		if !found {
			return err
		}
		if !c.refuse(rows) {
			return fmt.Errorf("rows refused again: %w", err)
		}
	}
}

// refuse marks rows that can never be stored; false if there is no new one.
func (c *carrier) refuse(rows *RowsError) bool {
	fresh := 0
	var receipts []string
	for _, bad := range rows.Rows {
		if bad.Row < 0 || bad.Row >= len(c.batch.Raw) || c.batch.Raw[bad.Row].Refused != "" {
			continue
		}
		row := &c.batch.Raw[bad.Row]
		row.Refused = text(bad.Reason)
		if row.Refused == "" {
			row.Refused = "refused by the warehouse"
		}
		if len(receipts) < 10 {
			receipts = append(receipts, row.Receipt.String())
		}
		fresh++
	}
	if fresh > 0 {
		c.metrics.quarantined.Add(float64(fresh))
		c.incident("quarantine", rows, 1, receipts)
	}
	return fresh > 0
}

// look lets go of reports that speak of events which the journal does not have.
func (c *carrier) look(ctx context.Context) error {
	end, err := c.events.End(ctx)
	if err != nil {
		return nil // the pump tells of a journal that is away
	}
	at := c.gathered.events(c.events.Epoch())
	if len(c.held) == 0 || at.Before(end) || len(c.arrivals.events) > 0 {
		return nil
	}
	first := &c.held[0]
	c.incident("report ahead of journal", fmt.Errorf("load report %d of %s: it speaks of events up to %s, the journal ends at %s",
		first.seq, first.report.Tracker, reach(&first.report), end), 1, nil)
	if err := c.take(ctx); err != nil {
		return err
	}
	return c.admit(ctx)
}
