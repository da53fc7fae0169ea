package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Lane brings the journal's events to one vendor. Run does the work; Status
// may be called from anywhere.
type Lane struct {
	config  Config
	tracker tracker.Tracker
	traits  tracker.Traits
	deps    Deps
	log     *slog.Logger
	client  *client
	limiter *rate.Limiter // nil for no limit
	metrics *laneMetrics
	board   board

	// What follows belongs to the goroutine of Run.
	epoch     string
	start     event.Position
	watermark event.Position // end of the last committed window
	seq       uint64         // of the lane's last report
	published time.Time      // when that was
	draft     draft          // committed, not yet published
	unsure    *event.Checkpoint  // published, but whether it was taken is unknown
	parked    map[event.Position]*waiting
	carried   map[event.Position]struct{} // intents of an earlier life, not yet accounted for
	tries     map[event.Position]int      // attempts of events whose window was dropped
	in        intake
	breaker   breaker
	pace      pace
	speed     float64   // events a second, of the last window that was sent
	isolated  time.Time // when an event was last found on which the vendor fails
	crowded   bool      // more came in than may be sent, in the last whole minute
	closing   bool      // the tracker is being removed: nothing is sent any more
	closed    bool      // the next report is the last
	measured  time.Time // when the backlog was
	trouble   string    // the last internal error, to log it once
}

// New makes a lane for a tracker. It does no I/O. The error names the
// configuration's key at fault.
func New(config Config, t tracker.Tracker, traits tracker.Traits, deps Deps) (*Lane, error) {
	if err := config.Check(); err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	if err := deps.check(); err != nil {
		return nil, fmt.Errorf("lane %s: %w", config.Name, err)
	}
	if t == nil {
		return nil, fmt.Errorf("lane %s: no tracker", config.Name)
	}
	return build(config, t, traits, deps), nil
}

func build(config Config, t tracker.Tracker, traits tracker.Traits, deps Deps) *Lane {
	deps = deps.withDefaults()
	l := &Lane{
		config: config, tracker: t, traits: config.merge(traits), deps: deps,
		log:     deps.Logger.With("tracker", config.Name),
		metrics: newMetrics(deps.Registerer, config.Name),
		parked:  make(map[event.Position]*waiting),
		carried: make(map[event.Position]struct{}),
		tries:   make(map[event.Position]int),
	}
	l.client = newClient(config, l.traits, deps)
	if l.traits.Rate > 0 {
		l.limiter = rate.NewLimiter(rate.Limit(l.traits.Rate), l.traits.Burst)
	}
	l.in.source = deps.Source
	l.board.init(config, l.breaker)
	return l
}

// Run reads, sends and records until ctx ends. Then requests under way have
// Config.Drain to finish, what is decided is published, and Run returns nil.
// It returns an error that wraps ErrFenced when another process took the lane
// over, and an error when it could not publish its last outcomes. Everything
// else (a vendor, the journal or the outcomes stream away) it waits out.
func (l *Lane) Run(ctx context.Context) error {
	defer l.metrics.retire()
	defer l.client.close()
	defer l.in.close()
	work, stop := l.grace(ctx)
	defer stop()

	err := l.attach(ctx)
	for err == nil && ctx.Err() == nil {
		err = l.step(ctx, work)
		switch {
		case err == nil && l.trouble != "":
			l.trouble = ""
			l.log.Info("lane reads the journal again")
		case err != nil && ctx.Err() == nil && !errors.Is(err, ErrFenced):
			err = l.endure(ctx, err)
		}
	}
	if errors.Is(err, ErrFenced) {
		return fmt.Errorf("lane %s: %w", l.config.Name, err)
	}
	if err := l.flush(ctx); err != nil {
		return fmt.Errorf("lane %s: %w", l.config.Name, err)
	}
	return nil
}

// grace is a context for what may outlive ctx by Config.Drain.
func (l *Lane) grace(ctx context.Context) (context.Context, func()) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	timer := time.NewTimer(0)
	timer.Stop()
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		defer cancel()
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		timer.Reset(l.config.Drain)
		select {
		case <-timer.C:
		case <-done:
		}
	}()
	return work, func() {
		close(done)
		<-finished
		timer.Stop()
	}
}

// step is one turn: wait for an open breaker, or decide one window.
func (l *Lane) step(ctx, work context.Context) error {
	if err := l.measure(ctx); err != nil {
		return err
	}
	if l.breaker.state(time.Now()) == Open && l.config.Mode == Live {
		return l.waitOpen(ctx)
	}
	if len(l.parked) >= l.config.MaxParked { // nothing is read, so look for what gets too old
		if _, err := l.expire(ctx); err != nil {
			return err
		}
	}
	w, err := l.collect(ctx)
	if err != nil || ctx.Err() != nil { // what was collected is read again
		return err
	}
	return l.resolve(ctx, work, w)
}

// measure notes how much of the journal is still before the lane, now and then.
func (l *Lane) measure(ctx context.Context) error {
	if time.Since(l.measured) < idleTurn {
		return nil
	}
	_, end, err := l.deps.Source.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("read journal bounds: %w", err)
	}
	l.measured = time.Now()
	backlog := uint64(0)
	if l.watermark.Before(end) {
		backlog = max(1, end.Seq-l.watermark.Seq)
	}
	l.board.measured(l, backlog)
	return nil
}

// showLag notes the next record that is still to be decided.
func (l *Lane) showLag() {
	oldest := time.Time{}
	if len(l.in.rest) > 0 {
		oldest = l.in.rest[0].ReceivedAt
	}
	l.board.oldestRecord(oldest)
}

// endure reports an internal error and waits before the next turn. It returns
// nil: the lane goes on.
func (l *Lane) endure(ctx context.Context, cause error) error {
	l.in.close() // begin again from the watermark
	if l.trouble != cause.Error() {
		l.trouble = cause.Error()
		l.log.Warn("lane cannot read the journal, will retry", "err", cause)
	}
	l.internal("journal", cause)
	sleep(ctx, minBackoff)
	return nil
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
