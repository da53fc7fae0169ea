package dispatcher

import (
	"bytes"
	"compress/gzip"
	"sync"
	"sync/atomic"
)

// scratch is the memory of one request, used again by later ones.
type scratch struct {
	body     []byte // as sent
	inflated []byte // of a gzip body
	encoded  []byte // records, one after the other
	ends     []int  // of each record in encoded
	records  [][]byte
	elements []element
	answer   []byte

	compressed bytes.Reader
	inflater   *gzip.Reader
}

// A scratch that grew beyond these is dropped: small requests need no such memory.
const (
	keepBytes    = 128 << 10
	keepElements = 1 << 10
)

// pool keeps scratch memory between requests.
type pool struct{ free sync.Pool }

func (p *pool) get() *scratch {
	if s, ok := p.free.Get().(*scratch); ok {
		return s
	}
	return &scratch{body: make([]byte, 0, 4096), encoded: make([]byte, 0, 4096)}
}

// put empties a scratch and keeps it, unless it grew too large.
func (p *pool) put(s *scratch) {
	if cap(s.body) > keepBytes || cap(s.inflated) > keepBytes || cap(s.encoded) > keepBytes || cap(s.elements) > keepElements {
		return
	}
	clear(s.elements) // they refer to strings
	s.body, s.inflated, s.encoded = s.body[:0], s.inflated[:0], s.encoded[:0]
	s.ends, s.records, s.elements, s.answer = s.ends[:0], s.records[:0], s.elements[:0], s.answer[:0]
	p.free.Put(s)
}

// slices cuts encoded into its records, once it does not grow any more.
func (s *scratch) slices() [][]byte {
	start := 0
	for _, end := range s.ends {
		s.records = append(s.records, s.encoded[start:end:end])
		start = end
	}
	return s.records
}

// budget is the memory that all requests together may use, in bytes.
type budget struct {
	limit int64
	used  atomic.Int64
}

// reservation is one request's share of a budget. It grows as the request's
// buffers do, so that a client which announces much and sends little reserves
// little.
type reservation struct {
	from  *budget
	bytes int64
}

// grow reserves n bytes more, or reports false and reserves none.
func (r *reservation) grow(n int) bool {
	if r.from.used.Add(int64(n)) > r.from.limit {
		r.from.used.Add(-int64(n))
		return false
	}
	r.bytes += int64(n)
	return true
}

// release gives everything back.
func (r *reservation) release() {
	r.from.used.Add(-r.bytes)
	r.bytes = 0
}
