package journal

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const (
	// groupLimit is where a group is closed to further calls. NATS's own default
	// bounds a message at 1 MiB, and larger ones gain nothing.
	groupLimit = 512 << 10
	// queueLimit bounds what may wait for the disk.
	queueLimit = 64 << 20
	// queueWait is how long a caller should wait when the queue is full.
	queueWait = time.Second
)

// group is what several calls of Append store together, as one frame.
type group struct {
	frame []byte // space for the header, then the records
	count uint32
	done  chan struct{} // closed when seq or err is set
	seq   uint64
	err   error
}

// queue collects the calls of Append into groups while the disk is busy with
// the one before.
type queue struct {
	mu      sync.Mutex
	waiting []*group // the last one is open to further calls until it is popped
	bytes   int      // of frames waiting or being stored
	closed  bool
	ready   chan struct{} // has one signal while groups wait
	spare   [][]byte      // frames to use again
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// add puts the records, size bytes when encoded, into a group and returns it
// with the index of the first.
func (q *queue) add(records [][]byte, size int) (*group, uint32, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, 0, ErrClosed
	}
	if q.bytes+size > queueLimit {
		return nil, 0, fault.After(fmt.Errorf("%w: %d MiB wait for the disk", ErrUnavailable, q.bytes>>20), queueWait)
	}
	g := q.open(size)
	index := g.count
	for _, r := range records {
		g.frame = appendRecord(g.frame, r)
	}
	g.count += uint32(len(records))
	q.bytes += size
	q.signal()
	return g, index, nil
}

// signal says that groups wait.
func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// open returns the group that size more bytes go into. The mutex is locked.
func (q *queue) open(size int) *group {
	if n := len(q.waiting); n > 0 {
		if g := q.waiting[n-1]; len(g.frame)+size <= groupLimit {
			return g
		}
	}
	g := &group{done: make(chan struct{})}
	if n := len(q.spare); n > 0 {
		g.frame, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		g.frame = make([]byte, headerSize, max(64<<10, headerSize+size))
	}
	q.waiting = append(q.waiting, g)
	return g
}

// next waits for the next group and closes it to further calls. When ctx ends, it
// closes the queue, and returns nil once nothing waits.
func (q *queue) next(ctx context.Context) *group {
	for {
		select {
		case <-q.ready:
		case <-ctx.Done():
			q.close()
			return q.pop()
		}
		// The callers of the last group have just been woken. Let them call again
		// first, or the next group has one call and the one after it all others.
		runtime.Gosched()
		if g := q.pop(); g != nil {
			return g
		}
	}
}

func (q *queue) pop() *group {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil
	}
	g := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	if len(q.waiting) > 0 {
		q.signal()
	}
	return g
}

// resolve answers the callers of g and keeps its memory for another group.
func (q *queue) resolve(g *group, seq uint64, err error) {
	const keep = 4
	frame := g.frame
	g.frame, g.seq, g.err = nil, seq, err
	q.mu.Lock()
	q.bytes -= len(frame) - headerSize
	if len(q.spare) < keep && cap(frame) <= 2*groupLimit {
		q.spare = append(q.spare, frame[:headerSize])
	}
	q.mu.Unlock()
	close(g.done)
}

// close refuses further calls. What waits already can still be stored.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// refusal is ErrClosed after close, or nil.
func (q *queue) refusal() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	return nil
}
