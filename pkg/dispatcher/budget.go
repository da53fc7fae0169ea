package dispatcher

import "sync/atomic"

// budget is the memory that all requests together may hold, in bytes.
type budget struct {
	limit int64
	used  atomic.Int64
}

// lease is one request's share of a budget. It grows as the request's buffers
// do, so that a client which announces much and sends little holds little.
type lease struct {
	from *budget
	held int64
}

// grow takes n bytes more, or reports false and takes none.
func (l *lease) grow(n int) bool {
	if l.from.used.Add(int64(n)) > l.from.limit {
		l.from.used.Add(-int64(n))
		return false
	}
	l.held += int64(n)
	return true
}

// release gives everything back.
func (l *lease) release() {
	l.from.used.Add(-l.held)
	l.held = 0
}
