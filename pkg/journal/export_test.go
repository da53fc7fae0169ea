package journal

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// What the tests, which are outside, may reach.

var (
	DecodeFrame  = decodeFrame
	AppendRecord = appendRecord
	ReadVarz     = readVarz
)

const (
	HeaderSize    = headerSize
	QueueLimit    = queueLimit
	BlockPatterns = "nats/jetstream/$G/streams/" + eventsStream + "/msgs/*.blk"
)

// Seal makes a frame of a body with count records.
func Seal(chain, batch, before uint64, count uint32, body []byte) []byte {
	b := append(make([]byte, headerSize), body...)
	seal(b, header{chain: chain, batch: batch, before: before, count: count})
	return b
}

// SetFreeSpace replaces the look at the disk.
func (j *Journal) SetFreeSpace(free *atomic.Int64) {
	j.freeSpace = func(string) (int64, error) { return free.Load(), nil }
}

// CheckDir does what follows each publish.
func (j *Journal) CheckDir() error { return j.checkDir() }

// Trim does what Run does from time to time.
func (j *Journal) Trim(ctx context.Context) error { return j.trim(ctx) }

// DeleteEvents deletes the events stream.
func (j *Journal) DeleteEvents(ctx context.Context) error {
	return j.writes.js.DeleteStream(ctx, eventsStream)
}

// DeleteKV deletes the stream of the key-value store.
func (j *Journal) DeleteKV(ctx context.Context) error {
	return j.writes.js.DeleteStream(ctx, kvStream)
}

// Hurry shortens what a publish waits for an answer.
func (j *Journal) Hurry(attempt, patience time.Duration) {
	j.attemptLimit, j.patience = attempt, patience
}

// SwitchOffJetStream does what the server does to itself when its disk fails.
func (j *Journal) SwitchOffJetStream() error { return j.server.running.DisableJetStream() }

// BreakServer stops the server and keeps it from starting again.
func (j *Journal) BreakServer() error {
	err := j.server.stop()
	j.server.dir = "/dev/null"
	return err
}

// Waiting is the number of records that wait to be stored.
func (j *Journal) Waiting() int {
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	n := 0
	for _, g := range j.queue.waiting {
		n += int(g.count)
	}
	return n
}

// Wedge makes the server that runs now swallow publishes: it takes them and
// never answers. With lose set, they are stored and only the answers are lost.
func (j *Journal) Wedge(lose bool) error {
	s := j.server
	s.mu.Lock()
	wedged := s.running
	s.wrap = func(conn net.Conn) net.Conn {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running != wedged {
			return conn
		}
		return &wedgedConn{Conn: conn, lose: lose}
	}
	s.mu.Unlock()
	return j.writes.conn.ForceReconnect()
}

// wedgedConn is cut in one direction as soon as a frame is published on it.
type wedgedConn struct {
	net.Conn
	lose bool // answers; otherwise requests
	cut  atomic.Bool
}

func (c *wedgedConn) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "HPUB sparrow.") {
		c.cut.Store(true)
	}
	if c.cut.Load() && !c.lose {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *wedgedConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.cut.Load() || !c.lose {
			return n, err
		}
	}
}

// TryNext returns the next message if there is one now.
func (r *Reader) TryNext(ctx context.Context) (m Message, ok bool, err error) {
	next, err := r.poll(ctx)
	if next == nil {
		return Message{}, false, err
	}
	return *next, true, err
}

// Gaps is what a reader counts with.
type Gaps struct{ gaps gapFinder }

// Add takes one frame.
func (g *Gaps) Add(lane string, chain, batch, before uint64, count uint32, seq, skipped uint64) (messages, records uint64) {
	return g.gaps.add(lane, header{chain: chain, batch: batch, before: before, count: count}, seq, skipped)
}
