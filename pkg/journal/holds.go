package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// hold is what one reader of a stream needs: the sequence and all after it.
type hold struct {
	seq    uint64
	dirty  bool   // not stored yet
	change uint64 // when it was set or stored, by holdStore.changes
}

type holdKey struct{ stream, reader string } // the stream's label

// mark is the end of the events stream as last acknowledged to this process.
type mark struct {
	Epoch   string `json:"epoch"`
	Seq     uint64 `json:"seq"`
	Chain   uint64 `json:"chain,string"`
	Batch   uint64 `json:"batch"`   // the last one
	Records uint64 `json:"records"` // of the chain, up to and including it
}

// holdStore keeps the holds and the mark, in memory and in a small stream, one
// message each. What is stored may lag behind, that is, be lower.
type holdStore struct {
	link  *link
	epoch func(stream string) string // of a stream, by its label, as it is now

	mu      sync.Mutex
	holds   map[holdKey]hold
	changes uint64
	end     mark
	endSaid uint64 // the mark that is stored
}

// storedHold is a hold as it is stored. One of another epoch says nothing of
// the stream that is there now.
type storedHold struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

func newHoldStore(l *link, epoch func(stream string) string) *holdStore {
	return &holdStore{link: l, epoch: epoch, holds: make(map[holdKey]hold)}
}

// forget drops what is known of a stream that was replaced.
func (h *holdStore) forget(stream string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := range h.holds {
		if k.stream == stream {
			delete(h.holds, k)
		}
	}
}

// Hold says that the reader still needs seq and everything after it. Raising a
// hold is cheap: it takes effect at once and is stored about once a second by
// Run, and by Close. A new or a lowered hold is stored before Hold returns.
// Hold a stream before reading its Bounds, so that nothing is trimmed between.
// Reader names are 1 to 96 letters, digits, "-" or "_".
func (s *Stream) Pin(ctx context.Context, reader string, seq uint64) error {
	if err := checkName(reader); err != nil {
		return err
	}
	if err := s.j.holds.set(ctx, holdKey{s.label, reader}, seq); err != nil {
		return fmt.Errorf("hold %s for %s: %w", s.label, reader, s.j.unavailable(ctx, err))
	}
	return nil
}

// Release says that the reader needs nothing any more. It is stored before
// Release returns. A stream without any hold is not trimmed.
func (s *Stream) Unpin(ctx context.Context, reader string) error {
	if err := checkName(reader); err != nil {
		return err
	}
	if err := s.j.holds.release(ctx, holdKey{s.label, reader}); err != nil {
		return fmt.Errorf("release %s for %s: %w", s.label, reader, s.j.unavailable(ctx, err))
	}
	return nil
}

// Holds returns what each reader of the stream needs, as this process knows it.
func (s *Stream) Pins() map[string]uint64 { return s.j.holds.of(s.label) }

func (h *holdStore) of(stream string) map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := make(map[string]uint64)
	for k, v := range h.holds {
		if k.stream == stream {
			found[k.reader] = v.seq
		}
	}
	return found
}

func (h *holdStore) set(ctx context.Context, k holdKey, seq uint64) error {
	h.mu.Lock()
	have, known := h.holds[k]
	raise := known && seq >= have.seq
	// A lowered hold counts at once, even if it cannot be stored.
	h.change(k, hold{seq: seq, dirty: seq != have.seq || have.dirty || !known})
	h.mu.Unlock()
	if raise {
		return nil
	}
	return h.save(ctx, k, seq)
}

func (h *holdStore) release(ctx context.Context, k holdKey) error {
	if err := h.link.put(ctx, k.subject(), nil); err != nil {
		return err
	}
	h.mu.Lock()
	delete(h.holds, k)
	h.mu.Unlock()
	return nil
}

func (h *holdStore) mark(m mark) {
	h.mu.Lock()
	h.end = m
	h.mu.Unlock()
}

func (h *holdStore) save(ctx context.Context, k holdKey, seq uint64) error {
	if err := h.link.put(ctx, k.subject(), storedHold{Epoch: h.epoch(k.stream), Seq: seq}); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if have, ok := h.holds[k]; ok && have.seq == seq {
		h.change(k, hold{seq: seq})
	}
	return nil
}

// change sets a hold. The lock is held.
func (h *holdStore) change(k holdKey, v hold) {
	h.changes++
	v.change = h.changes
	h.holds[k] = v
}

func (k holdKey) subject() string { return holdsPrefix + k.stream + "." + k.reader }

// flush stores what has changed.
func (h *holdStore) flush(ctx context.Context) error {
	h.mu.Lock()
	changed := make(map[holdKey]uint64)
	for k, v := range h.holds {
		if v.dirty {
			changed[k] = v.seq
		}
	}
	end, said := h.end, h.endSaid
	h.mu.Unlock()
	var errs []error
	for k, seq := range changed {
		errs = append(errs, h.save(ctx, k, seq))
	}
	if end.Seq != said {
		err := h.link.put(ctx, markSubject, end)
		errs = append(errs, err)
		if err == nil {
			h.mu.Lock()
			h.endSaid = end.Seq
			h.mu.Unlock()
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("store holds: %w", err)
	}
	return nil
}

// load takes what is stored, by this or other processes, for all that has not
// been changed here since.
func (h *holdStore) load(ctx context.Context) error {
	h.mu.Lock()
	before := h.changes
	h.mu.Unlock()
	found := make(map[holdKey]hold)
	var end mark
	err := h.link.each(ctx, holdsStream, func(subject string, _ uint64, data []byte) {
		h.read(subject, data, found, &end)
	})
	if err != nil {
		return fmt.Errorf("load holds: %w", err)
	}
	h.take(found, end, before)
	return nil
}

// read adds one stored message to found or end. One that cannot be read is as
// good as none: the hold's owner sets it again.
func (h *holdStore) read(subject string, data []byte, found map[holdKey]hold, end *mark) {
	if subject == markSubject {
		if json.Unmarshal(data, end) != nil || end.Epoch != h.epoch("events") {
			*end = mark{}
		}
		return
	}
	name, ok := strings.CutPrefix(subject, holdsPrefix)
	stream, reader, cut := strings.Cut(name, ".")
	if !ok || !cut || len(data) == 0 {
		return
	}
	var value storedHold
	if json.Unmarshal(data, &value) == nil && value.Epoch == h.epoch(stream) {
		found[holdKey{stream, reader}] = hold{seq: value.Seq}
	}
}

// take replaces what was not changed here since the count of changes was before:
// what was may be missing in found.
func (h *holdStore) take(found map[holdKey]hold, end mark, before uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, v := range h.holds {
		if v.dirty || v.change > before {
			found[k] = v
		}
	}
	h.holds = found
	if h.end.Seq == 0 {
		h.end, h.endSaid = end, end.Seq
	}
}

// flushPeriod is how often holds are stored.
const flushPeriod = time.Second
