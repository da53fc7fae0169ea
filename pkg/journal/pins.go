package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"
)

// flushPeriod is how often pins are stored.
const flushPeriod = time.Second

// pin is the lowest sequence of a stream that one reader still needs.
type pin struct {
	seq    uint64
	dirty  bool   // not stored yet
	change uint64 // when it was set or stored, by pinStore.changes
}

type pinKey struct{ stream, reader string } // the stream's label

func (k pinKey) subject() string { return pinsPrefix + k.stream + "." + k.reader }

// lastAck is the end of the events stream as last acknowledged to this process.
type lastAck struct {
	Epoch string `json:"epoch"`
	tail
}

// pinStore keeps the pins and the last acknowledgement, in memory and in a small
// stream, one message each. What is stored may lag behind, that is, be lower.
type pinStore struct {
	link  *link
	epoch func(stream string) string // of a stream, by its label, as it is now

	mu       sync.Mutex
	pins     map[pinKey]pin
	changes  uint64
	acked    lastAck
	ackedSeq uint64 // of the acknowledgement that is stored
}

// storedPin is a pin as it is stored. One of another epoch says nothing about the
// stream that is there now.
type storedPin struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// Pin says that the reader still needs seq and everything after it. Raising a pin
// is cheap: it takes effect at once and is stored about once a second by Run, and
// by Close. A new or a lowered pin is stored before Pin returns. Pin a stream
// before reading its Bounds, so that nothing is trimmed between. Reader names are 1
// to 96 letters, digits, "-" or "_".
func (s *Stream) Pin(ctx context.Context, reader string, seq uint64) error {
	if err := checkName(reader); err != nil {
		return err
	}
	if err := s.pins.set(ctx, pinKey{s.label, reader}, seq); err != nil {
		return fmt.Errorf("pin %s for %s: %w", s.label, reader, unavailable(ctx, err))
	}
	return nil
}

// Unpin says that the reader needs nothing any more. That is stored before Unpin
// returns. A stream without any pin is not trimmed.
func (s *Stream) Unpin(ctx context.Context, reader string) error {
	if err := checkName(reader); err != nil {
		return err
	}
	if err := s.pins.remove(ctx, pinKey{s.label, reader}); err != nil {
		return fmt.Errorf("unpin %s for %s: %w", s.label, reader, unavailable(ctx, err))
	}
	return nil
}

// Pins returns the pin of each reader of the stream, as this process knows it.
func (s *Stream) Pins() map[string]uint64 { return s.pins.of(s.label) }

func (p *pinStore) of(stream string) map[string]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := make(map[string]uint64)
	for k, v := range p.pins {
		if k.stream == stream {
			found[k.reader] = v.seq
		}
	}
	return found
}

func (p *pinStore) set(ctx context.Context, k pinKey, seq uint64) error {
	p.mu.Lock()
	have, known := p.pins[k]
	// A lowered pin counts at once, even if it cannot be stored.
	p.change(k, pin{seq: seq, dirty: seq != have.seq || have.dirty || !known})
	p.mu.Unlock()
	if known && seq >= have.seq {
		return nil
	}
	return p.save(ctx, k, seq)
}

// change sets a pin in memory. The mutex is locked.
func (p *pinStore) change(k pinKey, v pin) {
	p.changes++
	v.change = p.changes
	p.pins[k] = v
}

func (p *pinStore) save(ctx context.Context, k pinKey, seq uint64) error {
	if err := p.link.put(ctx, k.subject(), storedPin{Epoch: p.epoch(k.stream), Seq: seq}); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.pins[k]; ok && have.seq == seq {
		p.change(k, pin{seq: seq})
	}
	return nil
}

func (p *pinStore) remove(ctx context.Context, k pinKey) error {
	if err := p.link.put(ctx, k.subject(), nil); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pins, k)
	return nil
}

// forget drops the pins of a stream that was replaced.
func (p *pinStore) forget(stream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.pins, func(k pinKey, _ pin) bool { return k.stream == stream })
}

func (p *pinStore) setAcked(ack lastAck) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked = ack
}

// flush stores what has changed.
func (p *pinStore) flush(ctx context.Context) error {
	p.mu.Lock()
	pins, acked, ackedSeq := maps.Clone(p.pins), p.acked, p.ackedSeq
	p.mu.Unlock()
	var errs []error
	for k, v := range pins {
		if v.dirty {
			errs = append(errs, p.save(ctx, k, v.seq))
		}
	}
	if acked.Seq != ackedSeq {
		err := p.link.put(ctx, ackSubject, acked)
		errs = append(errs, err)
		if err == nil {
			p.mu.Lock()
			p.ackedSeq = acked.Seq
			p.mu.Unlock()
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("store pins: %w", err)
	}
	return nil
}

// load reads what this and other processes stored. What was changed here since
// load began is kept, because it may be missing in what was read.
func (p *pinStore) load(ctx context.Context) error {
	p.mu.Lock()
	before := p.changes
	p.mu.Unlock()
	found := make(map[pinKey]pin)
	var acked lastAck
	err := p.link.each(ctx, pinsStream, func(subject string, _ uint64, data []byte) {
		p.decode(subject, data, found, &acked)
	})
	if err != nil {
		return fmt.Errorf("load pins: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, v := range p.pins {
		if v.dirty || v.change > before {
			found[k] = v
		}
	}
	p.pins = found
	if p.acked.Seq == 0 {
		p.acked, p.ackedSeq = acked, acked.Seq
	}
	return nil
}

// decode adds one stored message to found or acked. One that cannot be read is
// skipped: the pin's owner sets it again.
func (p *pinStore) decode(subject string, data []byte, found map[pinKey]pin, acked *lastAck) {
	if subject == ackSubject {
		if json.Unmarshal(data, acked) != nil || acked.Epoch != p.epoch("events") {
			*acked = lastAck{}
		}
		return
	}
	name, ok := strings.CutPrefix(subject, pinsPrefix)
	stream, reader, cut := strings.Cut(name, ".")
	var value storedPin
	if ok && cut && json.Unmarshal(data, &value) == nil && value.Epoch == p.epoch(stream) {
		found[pinKey{stream, reader}] = pin{seq: value.Seq}
	}
}
