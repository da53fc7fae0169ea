package dedup

import (
	"crypto/sha256"
	"encoding/binary"

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
