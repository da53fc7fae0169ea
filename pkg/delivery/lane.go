package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/retry"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Lane delivers the journal's events to one tracker. Run does the work; Status
// may be called from anywhere.
type Lane struct {
	config    Config
	traits    tracker.Traits
	deps      Deps
	log       *slog.Logger
	metrics   *laneMetrics
	view      *statusView
	incidents *incidents

	// What follows belongs to the goroutine of Run.
	in        feed
	sender    *sender
	out       *outbox
	parking   *parking
	closing   bool      // the tracker is being removed: nothing is sent any more
	measured  time.Time // when the backlog was
	lastError string    // the last internal error, to log it once
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
	traits = config.merge(traits)
	log := deps.Logger.With("tracker", config.Name)
	metrics := newMetrics(deps.Registerer, config.Name)
	view := newStatusView(config, metrics)
	client := newClient(config, traits, deps)
	incidents := &incidents{reporter: deps.Reporter, tracker: config.Name, client: client}
	parking := newParking(config.budget(traits), config.MaxParked)
	return &Lane{
		config: config, traits: traits, deps: deps, log: log, metrics: metrics, view: view, incidents: incidents,
		in: feed{source: deps.Source}, parking: parking,
		sender: newSender(config, t, traits, client, log, metrics, incidents),
		out: &outbox{
			name: config.Name, release: deps.Release, log: log, outcomes: deps.OutcomeLog, metrics: metrics, view: view,
			incidents: incidents, parking: parking, intents: make(map[event.Position]struct{}),
		},
	}
}

// Run reads, sends and records until ctx ends. Then requests under way have
// Config.Drain to finish, what is decided is published, and Run returns nil.
// It returns an error that wraps ErrFenced when another process runs the lane
// now, and an error when it could not publish its last outcomes. Everything
// else (a vendor, the journal or the outcomes stream away) it waits out.
func (l *Lane) Run(ctx context.Context) error {
	defer l.metrics.retire()
	defer l.sender.client.close()
	defer l.in.close()
	work, stop := l.drainContext(ctx)
	defer stop()

	next := func() error { return l.resume(ctx) }
	for ctx.Err() == nil {
		err := next()
		switch {
		case errors.Is(err, ErrFenced):
			return fmt.Errorf("lane %s: %w", l.config.Name, err)
		case err == nil:
			if l.lastError != "" {
				l.lastError = ""
				l.log.Info("lane goes on")
			}
			next = func() error { return l.step(ctx, work) }
		case ctx.Err() == nil:
			l.waitAfterError(ctx, err)
		}
	}
	if err := l.out.flush(ctx); err != nil {
		return fmt.Errorf("lane %s: %w", l.config.Name, err)
	}
	return nil
}

// drainContext is a context for what may outlive ctx by Config.Drain.
func (l *Lane) drainContext(ctx context.Context) (context.Context, func()) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		defer cancel()
		_ = retry.Sleep(work, l.config.Drain)
	})
	return work, func() {
		stop()
		cancel()
	}
}

// step waits while the breaker is open, or decides one window.
func (l *Lane) step(ctx, work context.Context) error {
	if err := l.measure(ctx); err != nil {
		return err
	}
	if l.sender.breaker.state(time.Now()) == Open && l.config.Mode == Live {
		return l.waitOutage(ctx)
	}
	if l.parking.room() == 0 { // nothing is read, so look for what gets too old
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

// measure updates the backlog, at most once in maxIdle.
func (l *Lane) measure(ctx context.Context) error {
	if time.Since(l.measured) < maxIdle {
		return nil
	}
	_, end, err := l.deps.Source.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("read journal bounds: %w", err)
	}
	l.measured = time.Now()
	backlog := uint64(0)
	if l.out.cursor.Before(end) {
		backlog = max(1, end.Seq-l.out.cursor.Seq)
	}
	l.view.measured(backlog)
	return nil
}

// show updates the status by the lane's state in memory.
func (l *Lane) show() {
	l.view.update(l.out.epoch, l.out.start, l.out.cursor, len(l.parking.entries), l.sender.breaker)
}

// waitAfterError reports an internal error and waits before the next step.
func (l *Lane) waitAfterError(ctx context.Context, cause error) {
	l.in.close() // begin again from the watermark
	if l.lastError != cause.Error() {
		l.lastError = cause.Error()
		l.log.Warn("lane cannot go on, will retry", "err", cause)
	}
	l.incidents.report("journal", cause)
	_ = retry.Sleep(ctx, minBackoff)
}
