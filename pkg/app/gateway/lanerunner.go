package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/lease"
	"github.com/sparrow-edge/sparrow/pkg/retry"
	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// laneRunner is what this process does for one tracker. The lane runs here, or in
// another process of the cluster while this one stands by, or cannot be opened yet.
type laneRunner struct {
	tracker config.Tracker
	stop    context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	lane    *delivery.Lane // nil unless it runs here
	failure error          // why it could not be opened
}

func newLaneRunner(t config.Tracker) *laneRunner {
	return &laneRunner{tracker: t, done: make(chan struct{})}
}

func (p *laneRunner) set(lane *delivery.Lane, failure error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lane, p.failure = lane, failure
}

// running is the lane that runs here, or nil and why it could not be opened.
func (p *laneRunner) running() (*delivery.Lane, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lane, p.failure
}

// runLane runs a tracker's lane whenever this process holds its lease, until ctx
// ends.
func (l *lanes) runLane(ctx context.Context, p *laneRunner) error {
	return l.member.RunBalanced(ctx, laneName(p.tracker.Lane.Name), func(ctx context.Context) error {
		lane := l.reopenLane(ctx, p)
		if lane == nil {
			return nil
		}
		l.log.Info("tracker started", "tracker", p.tracker.Lane.Name, "kind", p.tracker.Kind, "mode", p.tracker.Lane.Mode)
		p.set(lane, nil)
		defer p.set(nil, nil)
		err := lane.Run(ctx)
		if errors.Is(err, delivery.ErrFenced) {
			return fmt.Errorf("%w: %w", lease.ErrFenced, err)
		}
		return err
	})
}

// reopenLane opens a tracker's lane; while the journal does not let it, it tries
// again, and reports that. It returns nil when ctx ends first.
func (l *lanes) reopenLane(ctx context.Context, p *laneRunner) *delivery.Lane {
	pauses := retry.Backoff{Min: time.Second, Max: time.Minute}
	for failures := 1; ctx.Err() == nil; failures++ {
		lane, err := l.openLane(ctx, p.tracker)
		if err == nil {
			return lane
		}
		if ctx.Err() != nil {
			break
		}
		err = fmt.Errorf("tracker %s: %w", p.tracker.Lane.Name, err)
		p.set(nil, err)
		pause := pauses.Delay(failures, err)
		l.log.Error("a tracker's lane cannot be opened, will retry", "tracker", p.tracker.Lane.Name, "err", err, "retry_in", pause)
		l.report("lane", "open lane", err)
		_ = retry.Sleep(ctx, pause) // the loop asks whether ctx has ended
	}
	p.set(nil, nil)
	return nil
}

// status is the state of every lane, and of those that only a backlog is left of.
func (l *lanes) status(ctx context.Context) ([]admin.TrackerStatus, error) {
	_, end, err := l.journal.Events().Bounds(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure the backlog: %w", err)
	}
	var list []admin.TrackerStatus
	pins := l.journal.Events().Pins()
	for _, p := range l.list() {
		list = append(list, l.trackerStatus(p, end, pins[laneName(p.tracker.Lane.Name)]))
	}
	for _, name := range l.orphans() {
		list = append(list, admin.TrackerStatus{
			Name: name, State: "not configured: its backlog is kept; see `sparrow trackers remove`",
			Position: event.Position{Seq: pins[laneName(name)]}.String(),
		})
	}
	return list, nil
}

// trackerStatus is the state of a tracker in this process; end is the journal's,
// pinned is from where it is kept for the lane.
func (l *lanes) trackerStatus(p *laneRunner, end, pinned uint64) admin.TrackerStatus {
	status := admin.TrackerStatus{
		Name: p.tracker.Lane.Name, Kind: p.tracker.Kind, Mode: string(p.tracker.Lane.Mode),
		Position: event.Position{Seq: pinned}.String(), Backlog: end - min(end, pinned), Outcomes: map[string]uint64{},
	}
	lane, failure := p.running()
	if lane == nil {
		status.State = l.absence(p, failure)
		return status
	}
	s := lane.Status()
	status.State, status.Position, status.Backlog = laneState(s), s.Cursor.String(), end-min(end, s.Cursor.Seq)
	status.Parked, status.LagSeconds = s.Parked, s.Lag.Seconds()
	for outcome, n := range s.Outcomes {
		status.Outcomes[outcome.String()] = n
	}
	return status
}

// absence says why a tracker's lane does not run here.
func (l *lanes) absence(p *laneRunner, failure error) string {
	holder, held := l.member.Holder(laneName(p.tracker.Lane.Name))
	switch {
	case failure != nil:
		return "cannot be opened, tries again: " + failure.Error()
	case held && !holder.Self && holder.Alive:
		return "stands by: it runs at " + holder.Name
	case held && !holder.Self:
		return "stands by: nothing is heard of " + holder.Name
	default:
		return "starting"
	}
}

// sayWhyPending adds to what is pending what its lane waits for.
func (l *lanes) sayWhyPending(steps []trail.Step) {
	for i := range steps {
		if steps[i].Outcome != event.Pending.String() {
			continue
		}
		for _, p := range l.list() {
			lane, failure := p.running()
			switch {
			case steps[i].Tracker != p.tracker.Lane.Name:
			case failure != nil:
				steps[i].Reason += "; its lane cannot be opened: " + failure.Error()
			case lane != nil && lane.Status().BreakerWhy != "":
				steps[i].Reason += "; the vendor takes nothing: " + lane.Status().BreakerWhy
			}
		}
	}
}

func laneState(s delivery.Status) string {
	if s.BreakerWhy == "" {
		return "running"
	}
	state := fmt.Sprintf("%s: %s", s.Breaker, s.BreakerWhy)
	if s.BreakerAlarm {
		state += " (will not pass by itself)"
	}
	return state
}
