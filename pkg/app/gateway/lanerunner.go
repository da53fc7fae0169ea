package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/lease"
	"github.com/sparrow-edge/sparrow/pkg/retry"
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
