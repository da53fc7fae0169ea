package dedup_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// begin is long enough ago that no test's receive times are in the future.
var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// journal is an events stream in memory.
type journal struct {
	mu      sync.Mutex
	epoch   string
	first   uint64 // lower messages are trimmed
	batches []event.Batch
	changed chan struct{}
	broken  int // that many calls of Next fail
}

func newJournal(epoch string) *journal {
	return &journal{epoch: epoch, first: 1, changed: make(chan struct{})}
}

// add appends a message and returns it as a reader would see it.
func (j *journal) add(records ...event.Record) event.Batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	seq := uint64(len(j.batches)) + 1
	for n := range records {
		records[n].Receipt = event.Receipt{Epoch: j.epoch, Position: event.Position{Seq: seq, Index: uint32(n)}}
	}
	b := event.Batch{Records: records, Next: event.Position{Seq: seq + 1}}
	j.batches = append(j.batches, b)
	close(j.changed)
	j.changed = make(chan struct{})
	return b
}

func (j *journal) Epoch() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.epoch
}

func (j *journal) Bounds(context.Context) (first, end event.Position, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return event.Position{Seq: j.first}, event.Position{Seq: uint64(len(j.batches)) + 1}, nil
}

func (j *journal) Read(_ context.Context, from event.Position) (dedup.Reader, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &reader{journal: j, next: max(from.Seq, j.first)}, nil
}

type reader struct {
	journal *journal
	next    uint64
}

func (r *reader) Next(ctx context.Context) (event.Batch, error) {
	j := r.journal
	for {
		j.mu.Lock()
		changed := j.changed
		if j.broken > 0 {
			j.broken--
			j.mu.Unlock()
			return event.Batch{}, errors.New("connection lost")
		}
		if r.next <= uint64(len(j.batches)) && ctx.Err() == nil {
			b := j.batches[r.next-1]
			r.next++
			j.mu.Unlock()
			return b, nil
		}
		j.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return event.Batch{}, ctx.Err()
		}
	}
}

func (r *reader) Close() error { return nil }

// record is received some time after begin.
func record(source, id string, after time.Duration) event.Record {
	return event.Record{Source: source, EventID: id, ReceivedAt: begin.Add(after)}
}

// incidents is an observer.
type incidents struct {
	mu   sync.Mutex
	list []fault.Incident
}

func (i *incidents) Report(incident fault.Incident) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = append(i.list, incident)
}

func (i *incidents) classes() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	seen := map[string]int{}
	for _, incident := range i.list {
		seen[incident.Class]++
	}
	return seen
}

// open opens an index and follows a source until the returned function is called.
func open(t testing.TB, dir string, config dedup.Config, options dedup.Options, source dedup.Events) (*dedup.Index, func()) {
	t.Helper()
	index, err := dedup.Open(dir, config, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- index.Run(ctx, source) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := index.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Cleanup(stop)
	return index, stop
}

// marks asks for the flags of a message's records.
func marks(t testing.TB, index *dedup.Index, b event.Batch) []bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	records := append([]event.Record(nil), b.Records...)
	for n := range records {
		records[n].Duplicate = n%2 == 0 // whatever stood there must not matter
	}
	if err := index.FlagDuplicates(ctx, records); err != nil {
		t.Fatal(err)
	}
	flags := make([]bool, len(records))
	for n := range records {
		flags[n] = records[n].Duplicate
	}
	return flags
}

// model is the definition, in memory.
type model struct {
	window time.Duration
	first  map[string]time.Time
}

func newModel(window time.Duration) *model { return &model{window, map[string]time.Time{}} }

func (m *model) flags(b event.Batch) []bool {
	flags := make([]bool, len(b.Records))
	for n, r := range b.Records {
		if r.Context.Malformed != "" {
			continue
		}
		id := fmt.Sprintf("%q %q", r.Source, r.EventID)
		first, ok := m.first[id]
		if flags[n] = ok && r.ReceivedAt.Sub(first) <= m.window; !flags[n] {
			m.first[id] = r.ReceivedAt
		}
	}
	return flags
}
