package event

import (
	"encoding/binary"
	"time"
)

func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixMicro())
}

// AppendPosition appends a position as BinaryReader.Position reads it: two
// uvarints, the sequence and the index.
func AppendPosition(b []byte, p Position) []byte {
	b = binary.AppendUvarint(b, p.Seq)
	return binary.AppendUvarint(b, uint64(p.Index))
}

// BinaryReader decodes what the Append functions of a binary format wrote, front
// to back. After the first fault every read returns a zero value and Finish
// returns ErrCorrupt, so that a caller checks for errors once, at the end.
type BinaryReader struct {
	rest []byte
	err  error
}

// NewBinaryReader reads b, which must not change meanwhile.
func NewBinaryReader(b []byte) BinaryReader { return BinaryReader{rest: b} }

func (d *BinaryReader) fail() { d.rest, d.err = nil, ErrCorrupt }

// Byte reads one byte.
func (d *BinaryReader) Byte() byte {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	v := d.rest[0]
	d.rest = d.rest[1:]
	return v
}

// Uvarint reads an unsigned varint.
func (d *BinaryReader) Uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// Varint reads a signed varint.
func (d *BinaryReader) Varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// Uint32 reads an unsigned varint that must fit in 32 bits.
func (d *BinaryReader) Uint32() uint32 {
	v := d.Uvarint()
	if v > 1<<32-1 {
		d.fail()
		return 0
	}
	return uint32(v)
}

// Bytes reads a length and so many bytes, as a part of the input.
func (d *BinaryReader) Bytes() []byte {
	n := d.Uvarint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	v := d.rest[:n:n]
	d.rest = d.rest[n:]
	return v
}

// Text is Bytes as a string of its own.
func (d *BinaryReader) Text() string { return string(d.Bytes()) }

// Time reads a varint of microseconds since 1970; 0 is the zero time.
func (d *BinaryReader) Time() time.Time {
	us := d.Varint()
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Position reads what AppendPosition wrote.
func (d *BinaryReader) Position() Position {
	return Position{Seq: d.Uvarint(), Index: d.Uint32()}
}

// Count reads how many elements follow, each of at least one byte, so that a
// corrupt count cannot make a reader reserve more than the input is long.
func (d *BinaryReader) Count() int {
	n := d.Uvarint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return 0
	}
	return int(n)
}

// Finish returns ErrCorrupt if a read failed or anything is left.
func (d *BinaryReader) Finish() error {
	if d.err == nil && len(d.rest) != 0 {
		d.err = ErrCorrupt
	}
	return d.err
}
