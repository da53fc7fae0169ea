package delivery

import (
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Status is where a lane stands.
type Status struct {
	Tracker string
	Mode    Mode
	Epoch   string
	// Start is where the lane began; earlier events are not this tracker's.
	Start event.Position
	// Cursor is how far the lane has decided, Watermark how far that is durable.
	Cursor    event.Position
	Watermark event.Position
	// Needs is the lowest position that the lane may still read: the journal
	// must keep everything from it on.
	EarliestNeeded event.Position
	// Report is the sequence of the lane's last report: the outcomes stream
	// must keep it. 0 until the lane runs.
	Checkpoint uint64

	Parked       int
	Breaker      BreakerState
	BreakerWhy   string
	BreakerSince time.Time
	BreakerAlarm bool      // the outage will not pass by itself
	RetryAt      time.Time // when an open breaker lets a probe through

	// Backlog is the number of journal messages, each of one or more records,
	// between the cursor and the journal's end, when it was last measured.
	Backlog uint64
	// Lag is the age of the oldest record that is still to be read; 0 when
	// there is none.
	Lag time.Duration
	// LastOutcome is when an event was last decided, zero for not yet.
	LastOutcome time.Time
	// Outcomes counts, by outcome, what this process decided.
	Outcomes map[event.Outcome]uint64
}

// Needs is the lowest position that the lane of a report may still read. The
// zero Position means that nothing is needed: the lane is closed.
func EarliestNeeded(r *event.Checkpoint) event.Position {
	if r.Closed {
		return event.Position{}
	}
	lowest := r.Watermark
	for _, p := range r.Parked {
		if p.Position.Before(lowest) {
			lowest = p.Position
		}
	}
	return lowest
}

// Status returns where the lane stands. It may be called at any time.
func (l *Lane) Status() Status { return l.board.read() }

// board is what a lane shows of itself to other goroutines.
type board struct {
	mu       sync.Mutex
	status   Status
	breaker  breaker
	oldest   time.Time // receipt of the next record to be read, zero for none
	outcomes map[event.Outcome]uint64
}

func (b *board) init(config Config, br breaker) {
	b.status = Status{Tracker: config.Name, Mode: config.Mode}
	b.breaker = br
	b.outcomes = make(map[event.Outcome]uint64)
}

func (b *board) read() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, now := b.status, time.Now()
	s.Breaker = b.breaker.state(now)
	s.BreakerWhy, s.BreakerSince, s.BreakerAlarm, s.RetryAt = b.breaker.why, b.breaker.since, b.breaker.alarm, b.breaker.due
	if !b.oldest.IsZero() {
		s.Lag = max(0, now.Sub(b.oldest))
	}
	s.Outcomes = make(map[event.Outcome]uint64, len(b.outcomes))
	for o, n := range b.outcomes {
		s.Outcomes[o] = n
	}
	return s
}

// oldestRecord notes the receipt of the oldest record not yet decided, zero for none.
func (b *board) oldestRecord(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.oldest = t
}

// update shows the lane's state in memory.
func (b *board) update(l *Lane) {
	b.mu.Lock()
	b.status.Epoch, b.status.Start, b.status.Cursor = l.epoch, l.start, l.watermark
	b.status.Parked = len(l.parked)
	b.breaker = l.breaker
	b.mu.Unlock()
	s := b.read()
	l.metrics.parked.Set(float64(s.Parked))
	l.metrics.lag.Set(s.Lag.Seconds())
	l.metrics.breaker.Set(map[BreakerState]float64{Closed: 0, HalfOpen: 1, Open: 2}[s.Breaker])
}

// measured notes how many messages lie between the lane and the journal's end.
func (b *board) measured(l *Lane, backlog uint64) {
	b.mu.Lock()
	b.status.Backlog = backlog
	b.mu.Unlock()
	l.metrics.backlog.Set(float64(backlog))
}

// publish shows what became durable.
func (b *board) publish(l *Lane, r *event.Checkpoint) {
	b.mu.Lock()
	b.status.Watermark, b.status.EarliestNeeded, b.status.Checkpoint = r.Watermark, EarliestNeeded(r), l.seq
	for i := range r.Deliveries {
		b.outcomes[r.Deliveries[i].Outcome]++
		if r.Deliveries[i].Time.After(b.status.LastOutcome) {
			b.status.LastOutcome = r.Deliveries[i].Time
		}
	}
	for i := range r.Filtered {
		b.outcomes[event.Filtered] += r.Filtered[i].Count
	}
	b.mu.Unlock()
	b.update(l)
}
