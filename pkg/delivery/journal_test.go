package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// journal is an in-memory events stream that keeps Source's contract.
type journal struct {
	mu       sync.Mutex
	epoch    string
	messages []message // by sequence, from 1
	first    uint64
	changed  chan struct{}
	gone     map[uint64]bool // damaged messages
	fail     error
}

type message []event.Record

func newJournal() *journal {
	return &journal{epoch: "e1", first: 1, changed: make(chan struct{}), gone: make(map[uint64]bool)}
}

// add appends one message with a record for each of data, received now, and
// returns the records.
func (j *journal) add(data ...string) []event.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	seq := uint64(len(j.messages) + 1)
	var records message
	for i, d := range data {
		records = append(records, event.Record{
			Receipt:    event.Receipt{Epoch: j.epoch, Position: event.Position{Seq: seq, Index: uint32(i)}},
			ReceivedAt: time.Now().UTC().Truncate(time.Microsecond), Source: "site", EventID: fmt.Sprintf("%s-%d-%d", j.epoch, seq, i),
			Data: []byte(d), Duplicate: d == "duplicate",
		})
	}
	j.messages = append(j.messages, records)
	close(j.changed)
	j.changed = make(chan struct{})
	return records
}

// trim removes every message below seq.
func (j *journal) trim(seq uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.first = max(j.first, seq)
}

func (j *journal) Epoch() string { return j.epoch }

func (j *journal) Bounds(context.Context) (first, end event.Position, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return event.Position{Seq: j.first}, event.Position{Seq: uint64(len(j.messages) + 1)}, j.fail
}

func (j *journal) At(_ context.Context, t time.Time) (event.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for seq := j.first; seq <= uint64(len(j.messages)); seq++ {
		if !j.messages[seq-1][0].ReceivedAt.Before(t) {
			return event.Position{Seq: seq}, nil
		}
	}
	return event.Position{Seq: uint64(len(j.messages) + 1)}, nil
}

func (j *journal) Get(_ context.Context, p event.Position) (event.Record, error) {
	if !j.has(p) {
		return event.Record{}, delivery.ErrGone
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.messages[p.Seq-1][p.Index], nil
}

// has reports whether the record at p can be read.
func (j *journal) has(p event.Position) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return p.Seq >= j.first && !j.gone[p.Seq] && p.Seq <= uint64(len(j.messages)) && int(p.Index) < len(j.messages[p.Seq-1])
}

func (j *journal) Read(_ context.Context, from event.Position) (delivery.Reader, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		return nil, j.fail
	}
	if from.Seq > 0 && from.Seq <= uint64(len(j.messages)) && int(from.Index) >= len(j.messages[from.Seq-1]) {
		from = event.Position{Seq: from.Seq + 1}
	}
	return &journalReader{journal: j, next: from}, nil
}

type journalReader struct {
	journal *journal
	next    event.Position
	closed  bool
}

func (r *journalReader) Next(ctx context.Context) (event.Batch, error) {
	for {
		batch, changed, err := r.try()
		if err != nil || len(batch.Records) > 0 {
			return batch, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return event.Batch{}, ctx.Err()
		}
	}
}

func (r *journalReader) try() (event.Batch, chan struct{}, error) {
	j := r.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.closed {
		return event.Batch{}, nil, errors.New("reader is closed")
	}
	seq, lost := r.next.Seq, uint64(0)
	for seq <= uint64(len(j.messages)) && (j.gone[seq] || seq < j.first) {
		seq, lost = seq+1, lost+1
	}
	if seq > uint64(len(j.messages)) {
		return event.Batch{}, j.changed, nil
	}
	records := slices.Clone(j.messages[seq-1])
	if lost == 0 {
		records = records[r.next.Index:]
	}
	r.next = event.Position{Seq: seq + 1}
	return event.Batch{Records: records, Next: r.next, Lost: lost}, nil, nil
}

func (r *journalReader) Close() error {
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	r.closed = true
	return nil
}

// outcomeLog is an in-memory outcomes stream that keeps OutcomeLog's contract: fenced,
// and through the real encoding. A clone of it is another process's view.
type outcomeLog struct {
	t      testing.TB
	shared *outcomes
	// hook runs around the n-th publish through this view, from 1. An error
	// before stops it; one after makes its result unknown.
	before, after func(n int) error
	published     int
}

type outcomes struct {
	mu      sync.Mutex
	encoded [][]byte
}

const maxMessage = 1 << 20

func newOutcomeLog(t testing.TB) *outcomeLog { return &outcomeLog{t: t, shared: &outcomes{}} }

func (o *outcomeLog) clone() *outcomeLog { return &outcomeLog{t: o.t, shared: o.shared} }

func (o *outcomeLog) Last(_ context.Context, tracker string) (event.Checkpoint, uint64, bool, error) {
	reports := o.checkpoints()
	if len(reports) == 0 {
		return event.Checkpoint{}, 0, false, nil
	}
	if got := reports[len(reports)-1].Tracker; got != tracker {
		return event.Checkpoint{}, 0, false, fmt.Errorf("asked for %s, the stream is %s's", tracker, got)
	}
	return reports[len(reports)-1], uint64(len(reports)), true, nil
}

func (o *outcomeLog) Publish(ctx context.Context, r *event.Checkpoint, after uint64) (uint64, error) {
	o.published++
	n := o.published
	if o.before != nil {
		if err := o.before(n); err != nil {
			return 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	seq, err := o.shared.append(o.t, r, after)
	if err == nil && o.after != nil {
		err = o.after(n)
	}
	return seq, err
}

func (o *outcomes) append(t testing.TB, r *event.Checkpoint, after uint64) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if after != uint64(len(o.encoded)) {
		return 0, fmt.Errorf("wrong last sequence: %w", delivery.ErrFenced)
	}
	b, err := r.AppendBinary(nil)
	if err != nil || len(b) > maxMessage {
		t.Errorf("checkpoint of %d bytes does not fit a message: %v", len(b), err)
	}
	o.encoded = append(o.encoded, b)
	return uint64(len(o.encoded)), nil
}

func (o *outcomeLog) checkpoints() []event.Checkpoint {
	o.shared.mu.Lock()
	defer o.shared.mu.Unlock()
	list := make([]event.Checkpoint, len(o.shared.encoded))
	for i, b := range o.shared.encoded {
		if err := list[i].UnmarshalBinary(b); err != nil {
			o.t.Fatalf("decode checkpoint %d: %v", i+1, err)
		}
	}
	return list
}

// rows are all outcomes ever reported, by position.
func (o *outcomeLog) rows() map[event.Position]event.Delivery {
	rows := make(map[event.Position]event.Delivery)
	for _, r := range o.checkpoints() {
		for _, d := range r.Deliveries {
			if _, twice := rows[d.Position]; twice && r.Epoch == "e1" {
				o.t.Errorf("%s has two outcomes", d.Position)
			}
			rows[d.Position] = d
		}
	}
	return rows
}

func (o *outcomeLog) last() event.Checkpoint {
	reports := o.checkpoints()
	if len(reports) == 0 {
		return event.Checkpoint{}
	}
	return reports[len(reports)-1]
}
