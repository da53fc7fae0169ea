package dispatcher

import "sync/atomic"

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
