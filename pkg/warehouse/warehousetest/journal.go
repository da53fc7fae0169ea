package warehousetest

import (
	"context"
	"sync"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Journal is a journal in memory, for tests of the loader. It is safe for
// concurrent use.
type Journal struct {
	mu      sync.Mutex
	epoch   string
	batches []event.Batch      // of sequence 1, 2, ...
	reports []event.Checkpoint // of sequence 1, 2, ...
	grown   chan struct{}      // closed, and made anew, when something is appended
	fail    error
	lost    uint64 // messages to call missing before the next one
}

// NewJournal returns an empty journal.
func NewJournal(epoch string) *Journal {
	return &Journal{epoch: epoch, grown: make(chan struct{})}
}

// Append adds a message of records, stamps their receipts and returns its sequence.
func (j *Journal) Append(records ...event.Record) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	seq := uint64(len(j.batches)) + 1
	for i := range records {
		records[i].Receipt = event.Receipt{Epoch: j.epoch, Position: event.Position{Seq: seq, Index: uint32(i)}}
	}
	j.batches = append(j.batches, event.Batch{Records: records, Next: event.Position{Seq: seq + 1}, Lost: j.lost})
	j.lost = 0
	j.wake()
	return seq
}

// Report adds a checkpoint, stamped with the epoch if it has none, and returns its sequence.
func (j *Journal) AddCheckpoint(r event.Checkpoint) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.Epoch == "" {
		r.Epoch = j.epoch
	}
	j.reports = append(j.reports, r)
	j.wake()
	return uint64(len(j.reports))
}

// Lose has the reader of the next message told that n before it are missing.
func (j *Journal) Lose(n uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lost += n
}

// Renew makes the journal a new one, as if its directory had been lost.
func (j *Journal) Renew(epoch string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.epoch, j.batches, j.reports = epoch, nil, nil
	j.wake()
}

// Fail makes all reading fail with err, until it is called with nil.
func (j *Journal) Fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fail = err
	j.wake()
}

// ends are the position and the sequence after all that is there.
func (j *Journal) ends() (event.Position, uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return event.Position{Seq: uint64(len(j.batches)) + 1}, uint64(len(j.reports)) + 1
}

func (j *Journal) wake() {
	close(j.grown)
	j.grown = make(chan struct{})
}

// Events is the events stream.
func (j *Journal) Events() warehouse.Events { return events{j} }

// Outcomes is the outcomes stream.
func (j *Journal) Outcomes() warehouse.Outcomes { return outcomes{j} }

type events struct{ *Journal }

func (e events) Epoch() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.epoch
}

func (e events) End(context.Context) (event.Position, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return event.Position{Seq: uint64(len(e.batches)) + 1}, e.fail
}

func (e events) Read(_ context.Context, from event.Position) (warehouse.EventReader, error) {
	return &eventReader{journal: e.Journal, epoch: e.Epoch(), seq: max(from.Seq, 1)}, nil
}

type eventReader struct {
	journal *Journal
	epoch   string
	seq     uint64
}

func (r *eventReader) Next(ctx context.Context) (event.Batch, error) {
	for {
		batch, grown, err := r.try()
		if err != nil || len(batch.Records) > 0 {
			return batch, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return event.Batch{}, ctx.Err()
		}
	}
}

func (r *eventReader) try() (event.Batch, <-chan struct{}, error) {
	j := r.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		return event.Batch{}, nil, j.fail
	}
	if j.epoch != r.epoch {
		return event.Batch{}, nil, errRenewed
	}
	if r.seq > uint64(len(j.batches)) {
		return event.Batch{}, j.grown, nil
	}
	r.seq++
	return j.batches[r.seq-2], nil, nil
}

func (*eventReader) Close() error { return nil }

type outcomes struct{ *Journal }

func (o outcomes) Epoch() string { return events(o).Epoch() }

func (o outcomes) End(context.Context) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return uint64(len(o.reports)) + 1, o.fail
}

func (o outcomes) Read(_ context.Context, from uint64) (warehouse.OutcomeReader, error) {
	return &outcomeReader{journal: o.Journal, epoch: o.Epoch(), seq: max(from, 1)}, nil
}

type outcomeReader struct {
	journal *Journal
	epoch   string
	seq     uint64
}

func (r *outcomeReader) Next(ctx context.Context) (uint64, event.Checkpoint, error) {
	for {
		seq, report, grown, err := r.try()
		if err != nil || seq > 0 {
			return seq, report, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return 0, event.Checkpoint{}, ctx.Err()
		}
	}
}

func (r *outcomeReader) try() (uint64, event.Checkpoint, <-chan struct{}, error) {
	j := r.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		return 0, event.Checkpoint{}, nil, j.fail
	}
	if j.epoch != r.epoch {
		return 0, event.Checkpoint{}, nil, errRenewed
	}
	if r.seq > uint64(len(j.reports)) {
		return 0, event.Checkpoint{}, j.grown, nil
	}
	r.seq++
	return r.seq - 1, j.reports[r.seq-2], nil, nil
}

func (*outcomeReader) Close() error { return nil }
