package delivery

import (
	"maps"
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
	// EarliestNeeded is the lowest position that the lane may still read: the journal
	// must keep everything from it on.
	EarliestNeeded event.Position
	// Checkpoint is the sequence of the lane's last checkpoint: the outcomes stream
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

// EarliestNeeded is the lowest position that the lane of a checkpoint may still
// read. The zero Position means that nothing is needed: the lane is closed.
func EarliestNeeded(r *event.Checkpoint) event.Position {
	if r.Removed {
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
func (l *Lane) Status() Status { return l.view.read() }

// statusView is what a lane shows of itself to other goroutines, and in its
// gauges.
type statusView struct {
	metrics *laneMetrics

	mu      sync.Mutex
	status  Status
	breaker breaker
	oldest  time.Time // receipt of the next record to be read, zero for none
}

func newStatusView(config Config, metrics *laneMetrics) *statusView {
	return &statusView{metrics: metrics, status: Status{
		Tracker: config.Name, Mode: config.Mode, Outcomes: make(map[event.Outcome]uint64),
	}}
}

func (v *statusView) read() Status {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, now := v.status, time.Now()
	s.Breaker = v.breaker.state(now)
	s.BreakerWhy, s.BreakerSince, s.BreakerAlarm, s.RetryAt = v.breaker.why, v.breaker.since, v.breaker.alarm, v.breaker.due
	if !v.oldest.IsZero() {
		s.Lag = max(0, now.Sub(v.oldest))
	}
	s.Outcomes = maps.Clone(v.status.Outcomes)
	return s
}

// oldestRecord sets the receipt of the oldest undecided record, zero for none.
func (v *statusView) oldestRecord(t time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.oldest = t
}

// update shows the lane's state in memory.
func (v *statusView) update(epoch string, start, cursor event.Position, parked int, b breaker) {
	v.mu.Lock()
	v.status.Epoch, v.status.Start, v.status.Cursor, v.status.Parked = epoch, start, cursor, parked
	v.breaker = b
	v.mu.Unlock()
	s := v.read()
	v.metrics.parked.Set(float64(s.Parked))
	v.metrics.lag.Set(s.Lag.Seconds())
	v.metrics.breaker.Set(map[BreakerState]float64{Closed: 0, HalfOpen: 1, Open: 2}[s.Breaker])
}

// measured sets how many messages lie between the lane and the journal's end.
func (v *statusView) measured(backlog uint64) {
	v.mu.Lock()
	v.status.Backlog = backlog
	v.mu.Unlock()
	v.metrics.backlog.Set(float64(backlog))
}

// published shows and counts a checkpoint that became durable.
func (v *statusView) published(c *event.Checkpoint, seq uint64) {
	v.mu.Lock()
	v.status.Watermark, v.status.EarliestNeeded, v.status.Checkpoint = c.Watermark, EarliestNeeded(c), seq
	count := func(o event.Outcome, n uint64) {
		v.status.Outcomes[o] += n
		v.metrics.outcomes.WithLabelValues(o.String()).Add(float64(n))
	}
	for i := range c.Deliveries {
		count(c.Deliveries[i].Outcome, 1)
		if c.Deliveries[i].Time.After(v.status.LastOutcome) {
			v.status.LastOutcome = c.Deliveries[i].Time
		}
	}
	for i := range c.Filtered {
		count(event.Filtered, c.Filtered[i].Count)
	}
	b := v.breaker
	v.mu.Unlock()
	v.update(c.Epoch, c.Start, c.Watermark, len(c.Parked), b)
}
