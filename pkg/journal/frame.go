package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
)

// header is the fixed part of a frame; doc.go draws it.
type header struct {
	chain  uint64
	batch  uint64
	before uint64
	count  uint32
}

// tail is the last frame of a chain. Its JSON is part of the format on disk.
type tail struct {
	Seq     uint64 `json:"seq"`
	Chain   uint64 `json:"chain,string"`
	Batch   uint64 `json:"batch"`
	Records uint64 `json:"records"` // of the chain, up to and including it
}

// newChain returns the tail of a chain without a frame. 0 is the lanes' chain.
func newChain() tail { return tail{Chain: rand.Uint64()} }

// next is the header of the chain's next frame.
func (t tail) next(count uint32) header {
	return header{chain: t.Chain, batch: t.Batch + 1, before: t.Records, count: count}
}

// at is the tail of a chain that ends with this header's frame.
func (h header) at(seq uint64) tail {
	return tail{Seq: seq, Chain: h.chain, Batch: h.batch, Records: h.before + uint64(h.count)}
}

const (
	frameVersion = 1
	headerSize   = 36
)

var errCorrupt = errors.New("corrupt frame")

// appendRecord adds one record to the body of a frame.
func appendRecord(b, record []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(record)))
	return append(b, record...)
}

// recordSize is what appendRecord adds.
func recordSize(record []byte) int {
	n := 1
	for v := len(record); v >= 0x80; v >>= 7 {
		n++
	}
	return n + len(record)
}

// seal fills in the header in front of a body, which begins at b[headerSize].
func seal(b []byte, h header) {
	binary.BigEndian.PutUint32(b[0:], frameVersion<<24)
	binary.BigEndian.PutUint64(b[8:], h.chain)
	binary.BigEndian.PutUint64(b[16:], h.batch)
	binary.BigEndian.PutUint64(b[24:], h.before)
	binary.BigEndian.PutUint32(b[32:], h.count)
	binary.BigEndian.PutUint32(b[4:], checksum(b))
}

// checksum panics on less than a header; callers have looked.
func checksum(b []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // cached by the library
	return crc32.Update(crc32.Checksum(b[:4], table), table, b[8:])
}

// decodeHeader checks the frame and returns its fixed part.
func decodeHeader(b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, fmt.Errorf("%w: %d bytes", errCorrupt, len(b))
	}
	if version := binary.BigEndian.Uint32(b); version != frameVersion<<24 {
		return header{}, fmt.Errorf("%w: version word %#x", errCorrupt, version)
	}
	if binary.BigEndian.Uint32(b[4:]) != checksum(b) {
		return header{}, fmt.Errorf("%w: checksum", errCorrupt)
	}
	return header{
		chain:  binary.BigEndian.Uint64(b[8:]),
		batch:  binary.BigEndian.Uint64(b[16:]),
		before: binary.BigEndian.Uint64(b[24:]),
		count:  binary.BigEndian.Uint32(b[32:]),
	}, nil
}

// decodeFrame checks the frame and returns its records, which are parts of b.
func decodeFrame(b []byte) (header, [][]byte, error) {
	h, err := decodeHeader(b)
	if err != nil {
		return header{}, nil, err
	}
	body := b[headerSize:]
	if uint64(h.count) > uint64(len(body)) { // each record has a length byte at least
		return header{}, nil, fmt.Errorf("%w: %d records in %d bytes", errCorrupt, h.count, len(body))
	}
	records := make([][]byte, h.count)
	for i := range records {
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return header{}, nil, fmt.Errorf("%w: record %d", errCorrupt, i)
		}
		end := n + int(size)
		records[i], body = body[n:end:end], body[end:]
	}
	if len(body) > 0 {
		return header{}, nil, fmt.Errorf("%w: %d bytes after the last record", errCorrupt, len(body))
	}
	return h, records, nil
}
