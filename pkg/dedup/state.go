package dedup

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// state is what the follower must know to go on. It is written with each
// message, in the same atomic batch.
type state struct {
	epoch   string         // of the journal; "" before the first
	applied event.Position // every record before it is decided
	// forgotten is the latest receive time, in microseconds, of originals that
	// were dropped for the byte budget; 0 for none.
	forgotten   int64
	nextID      uint32       // of the generation to be opened next
	generations []generation // oldest first; the last takes new originals
}

// generation is a group of originals that is dropped as one. Times are
// microseconds since 1970.
type generation struct {
	id      uint32
	opened  int64 // receive time of the first record it was opened for
	latest  int64 // the latest receive time in it
	entries uint64
}

func (s *state) clone() state {
	c := *s
	c.generations = slices.Clone(s.generations)
	return c
}

// clock is the latest receive time of all originals.
func (s *state) clock() int64 {
	latest := int64(math.MinInt64)
	for _, g := range s.generations {
		latest = max(latest, g.latest)
	}
	return latest
}

func (s *state) entries() (n uint64) {
	for _, g := range s.generations {
		n += g.entries
	}
	return n
}

const stateVersion = 1

// maxGenerations bounds a state's generations: four by time and four by size may
// be within the window at once, with room for odd clocks.
const maxGenerations = 16

func (s *state) append(b []byte) []byte {
	b = append(b, stateVersion)
	b = binary.AppendUvarint(b, uint64(len(s.epoch)))
	b = append(b, s.epoch...)
	b = appendPosition(b, s.applied)
	b = binary.AppendVarint(b, s.forgotten)
	b = binary.AppendUvarint(b, uint64(s.nextID))
	b = binary.AppendUvarint(b, uint64(len(s.generations)))
	for _, g := range s.generations {
		b = binary.AppendUvarint(b, uint64(g.id))
		b = binary.AppendVarint(b, g.opened)
		b = binary.AppendVarint(b, g.latest)
		b = binary.AppendUvarint(b, g.entries)
	}
	return b
}

// errState says that what is stored is not what was written.
var errState = errors.New("malformed value in the duplicate index")

func parseState(b []byte) (state, error) {
	if len(b) == 0 || b[0] != stateVersion {
		return state{}, errState
	}
	r := reader{rest: b[1:]}
	s := state{epoch: r.text(), applied: r.position(), forgotten: r.varint(), nextID: r.uint32()}
	n := r.uvarint()
	if n > maxGenerations {
		return state{}, errState
	}
	for range n {
		s.generations = append(s.generations, generation{id: r.uint32(), opened: r.varint(), latest: r.varint(), entries: r.uvarint()})
	}
	if r.bad || len(r.rest) > 0 {
		return state{}, errState
	}
	return s, nil
}

func appendPosition(b []byte, p event.Position) []byte {
	b = binary.AppendUvarint(b, p.Seq)
	return binary.AppendUvarint(b, uint64(p.Index))
}

func parsePosition(b []byte) (event.Position, error) {
	r := reader{rest: b}
	p := r.position()
	if r.bad || len(r.rest) > 0 {
		return event.Position{}, errState
	}
	return p, nil
}

func appendOriginal(b []byte, p event.Position, received int64) []byte {
	return binary.AppendVarint(appendPosition(b, p), received)
}

// parseOriginal reads when an original was received, in microseconds.
func parseOriginal(b []byte) (int64, error) {
	r := reader{rest: b}
	r.position()
	received := r.varint()
	if r.bad || len(r.rest) > 0 {
		return 0, errState
	}
	return received, nil
}

// reader decodes front to back; after a fault it is bad and returns zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() { r.rest, r.bad = nil, true }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	v := string(r.rest[:n])
	r.rest = r.rest[n:]
	return v
}

func (r *reader) uint32() uint32 {
	v := r.uvarint()
	if v > math.MaxUint32 {
		r.fail()
		return 0
	}
	return uint32(v)
}

func (r *reader) position() event.Position {
	return event.Position{Seq: r.uvarint(), Index: r.uint32()}
}
