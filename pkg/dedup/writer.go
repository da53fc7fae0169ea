package dedup

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const (
	// parts is how many generations the window and the byte budget are divided into.
	// With more, eviction is finer and each lookup slower.
	parts = 4
	// entryBytes is about what an original takes on disk.
	entryBytes = 40
)

// writer decides records. It belongs to the follower.
type writer struct {
	index  *Index
	store  *store
	hasher hasher
	batch  *pebble.Batch
	next   state            // becomes the index's state when the batch is committed
	fresh  map[digest]int64 // originals of the batch, not yet to be found in the store
	// filters are of next.generations, by id; they may have more than the store.
	filters map[uint32]*filter
	key     []byte
	value   []byte
}

// newWriter goes on from the index's state. It reads all originals once, into
// filters that know most new ids without the store.
func newWriter(i *Index) (*writer, error) {
	i.mu.Lock()
	w := &writer{index: i, store: i.store, next: i.state.clone(), fresh: make(map[digest]int64), filters: make(map[uint32]*filter)}
	i.mu.Unlock()
	for _, g := range w.next.generations {
		f, err := loadFilter(w.store.db, g.id, g.entries)
		if err != nil {
			return nil, fmt.Errorf("read originals: %w", err)
		}
		w.filters[g.id] = f
	}
	w.batch = w.store.db.NewBatch()
	return w, nil
}

func (w *writer) close() {
	w.batch.Close() //nolint:errcheck // a batch that is not committed changes nothing
}

// apply decides a message's records and commits what it found, with the
// position after them, as one.
func (w *writer) apply(b event.Batch) error {
	records := b.Records
	if len(records) == 0 {
		return nil
	}
	if records[0].Receipt.Epoch != w.next.epoch {
		return errors.New("the journal's epoch changed")
	}
	w.batch.Reset()
	clear(w.fresh)
	if err := w.generation(records); err != nil {
		return fmt.Errorf("prepare a generation: %w", err)
	}
	found := make(map[string]int) // duplicates by source
	for n := range records {
		r := &records[n]
		if r.Receipt.Position.Before(w.next.applied) || r.Context.Malformed != "" {
			continue
		}
		duplicate, err := w.decide(r)
		if err != nil {
			return fmt.Errorf("decide record %s: %w", r.Receipt.Position, err)
		}
		if duplicate {
			found[r.Source]++
		}
	}
	gap := w.next.applied != event.Position{} && w.next.applied.Seq < records[0].Receipt.Seq
	from := w.next.applied
	w.next.applied = b.Next
	if err := w.commit(); err != nil {
		return err
	}
	if gap {
		w.index.report("gap in journal", fmt.Errorf("the journal has nothing from %s to %s: repeats of what was there are not recognised", from, records[0].Receipt.Position))
	}
	w.index.count(records, found)
	return nil
}

// decide stores a record as an original or flags it as a duplicate.
func (w *writer) decide(r *event.Record) (duplicate bool, err error) {
	id := w.hasher.sum(r.Source, r.EventID)
	received := r.ReceivedAt.UnixMicro()
	earliest := received - w.index.config.Window.Microseconds()
	first, ok := w.fresh[id]
	if !ok || first < earliest {
		if ok, err = w.lookup(&id, earliest); err != nil {
			return false, err
		}
	}
	if ok {
		w.key = appendFlagKey(w.key[:0], r.Receipt.Position)
		return true, w.batch.Set(w.key, nil, nil)
	}
	w.fresh[id] = received
	active := &w.next.generations[len(w.next.generations)-1]
	active.entries++
	active.latest = max(active.latest, received)
	w.filters[active.id].add(&id)
	w.key = appendOriginalKey(w.key[:0], active.id, id)
	w.value = appendOriginal(w.value[:0], r.Receipt.Position, received)
	return false, w.batch.Set(w.key, w.value, nil)
}

// lookup reports whether the store has an original received at earliest or later.
func (w *writer) lookup(id *digest, earliest int64) (bool, error) {
	for n := len(w.next.generations) - 1; n >= 0; n-- {
		g := &w.next.generations[n]
		if g.latest < earliest || !w.filters[g.id].has(id) {
			continue
		}
		w.key = appendOriginalKey(w.key[:0], g.id, *id)
		value, closer, err := w.store.db.Get(w.key)
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		received, err := parseOriginal(value)
		if err = errors.Join(err, closer.Close()); err != nil {
			return false, err
		}
		if received >= earliest {
			return true, nil
		}
	}
	return false, nil
}

// generation makes sure that the last generation has capacity for the records, and
// drops those that are out of the window as a whole.
func (w *writer) generation(records []event.Record) error {
	earliest := int64(math.MaxInt64)
	for n := range records {
		earliest = min(earliest, records[n].ReceivedAt.UnixMicro())
	}
	window := w.index.config.Window.Microseconds()
	// A dispatcher whose clock is ahead must not make the index forget.
	horizon := min(earliest, time.Now().UnixMicro()) - window - window/parts
	for len(w.next.generations) > 0 && w.next.generations[0].latest < horizon {
		w.drop()
	}
	if n := len(w.next.generations); n > 0 {
		last := w.next.generations[n-1]
		if earliest-last.opened < window/parts && last.entries < uint64(w.index.config.MaxBytes/parts/entryBytes) {
			return w.widen(last.id, uint64(len(records)))
		}
	}
	if len(w.next.generations) == maxGenerations {
		w.forget()
	}
	w.open(earliest, len(records))
	return nil
}

// widen makes sure that a generation's filter has capacity for more entries. It is
// read from the store, so it also loses what was added for batches that failed.
func (w *writer) widen(id uint32, more uint64) error {
	f := w.filters[id]
	if f.entries+more <= f.capacity {
		return nil
	}
	wider, err := loadFilter(w.store.db, id, 2*(f.entries+more))
	if err != nil {
		return err
	}
	w.filters[id] = wider
	return nil
}

func (w *writer) open(at int64, records int) {
	w.next.generations = append(w.next.generations, generation{id: w.next.nextID, opened: at, latest: math.MinInt64})
	w.filters[w.next.nextID] = newFilter(uint64(records))
	w.next.nextID++ // never one in use: the ids repeat after four billion
}

// drop deletes the oldest generation.
func (w *writer) drop() {
	id := w.next.generations[0].id
	from, to := generationBounds(id)
	delete(w.filters, id)
	w.batch.DeleteRange(from, to, nil) //nolint:errcheck // only a committed batch refuses
	w.next.generations = w.next.generations[1:]
}

// forget drops the oldest generation though it may still be within the window.
func (w *writer) forget() {
	w.next.forgotten = max(w.next.forgotten, w.next.generations[0].latest)
	w.drop()
}

// commit writes the batch and the state as one and makes them the index's.
func (w *writer) commit() error {
	w.value = w.next.append(w.value[:0])
	if err := errors.Join(w.batch.Set([]byte{stateKey}, w.value, nil), w.store.db.Apply(w.batch, pebble.NoSync)); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	if err := w.store.failure(); err != nil {
		return err
	}
	i := w.index
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state = w.next.clone()
	i.announce()
	return nil
}
