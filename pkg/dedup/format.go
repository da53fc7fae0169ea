package dedup

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// The first byte of each key says what it is.
const (
	stateKey    = 's'
	trimKey     = 't'
	originalKey = 'f'
	flagKey     = 'd'
	endKey      = 'z' // above all
)

const (
	originalKeyLength = 1 + 4 + 16
	flagKeyLength     = 1 + 8 + 4
)

// digest identifies a source and event id.
type digest [16]byte

// hasher makes digests without allocating.
type hasher struct{ scratch []byte }

func (h *hasher) sum(source, eventID string) digest {
	b := binary.AppendUvarint(h.scratch[:0], uint64(len(source)))
	b = append(b, source...)
	b = append(b, eventID...)
	h.scratch = b
	full := sha256.Sum256(b)
	return digest(full[:16])
}

func appendOriginalKey(b []byte, generation uint32, d digest) []byte {
	b = binary.BigEndian.AppendUint32(append(b, originalKey), generation)
	return append(b, d[:]...)
}

// generationBounds are the keys between which a generation's originals are.
func generationBounds(generation uint32) (from, to []byte) {
	from = binary.BigEndian.AppendUint32([]byte{originalKey}, generation)
	if generation == 1<<32-1 {
		return from, []byte{originalKey + 1}
	}
	return from, binary.BigEndian.AppendUint32([]byte{originalKey}, generation+1)
}

func appendFlagKey(b []byte, p event.Position) []byte {
	b = binary.BigEndian.AppendUint64(append(b, flagKey), p.Seq)
	return binary.BigEndian.AppendUint32(b, p.Index)
}

func parseFlagKey(k []byte) (event.Position, error) {
	if len(k) != flagKeyLength || k[0] != flagKey {
		return event.Position{}, event.ErrCorrupt
	}
	return event.Position{Seq: binary.BigEndian.Uint64(k[1:]), Index: binary.BigEndian.Uint32(k[9:])}, nil
}

// state is what the follower must know to go on. It is written with each
// message, in the same atomic batch.
type state struct {
	epoch   string         // of the journal; "" before the first
	applied event.Position // every record before it is decided
	// forgotten is the latest receive time, in microseconds, of originals that
	// were dropped for the byte budget; 0 for none.
	forgotten   int64
	nextID      uint32       // of the generation to be opened next
	generations []generation // oldest first; new originals go to the last
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
// be within the window at once, and more when clocks are wrong.
const maxGenerations = 16

func (s *state) append(b []byte) []byte {
	b = append(b, stateVersion)
	b = binary.AppendUvarint(b, uint64(len(s.epoch)))
	b = append(b, s.epoch...)
	b = event.AppendPosition(b, s.applied)
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

// parseState reads what append wrote. The error of this and of the other parsers is
// event.ErrCorrupt.
func parseState(b []byte) (state, error) {
	r := event.NewBinaryReader(b)
	if r.Byte() != stateVersion {
		return state{}, event.ErrCorrupt
	}
	s := state{epoch: r.Text(), applied: r.Position(), forgotten: r.Varint(), nextID: r.Uint32()}
	n := r.Uvarint()
	if n > maxGenerations {
		return state{}, event.ErrCorrupt
	}
	for range n {
		s.generations = append(s.generations, generation{id: r.Uint32(), opened: r.Varint(), latest: r.Varint(), entries: r.Uvarint()})
	}
	return s, r.Finish()
}

func parsePosition(b []byte) (event.Position, error) {
	r := event.NewBinaryReader(b)
	p := r.Position()
	return p, r.Finish()
}

func appendOriginal(b []byte, p event.Position, received int64) []byte {
	return binary.AppendVarint(event.AppendPosition(b, p), received)
}

// parseOriginal reads when an original was received, in microseconds.
func parseOriginal(b []byte) (int64, error) {
	r := event.NewBinaryReader(b)
	r.Position()
	received := r.Varint()
	return received, r.Finish()
}
