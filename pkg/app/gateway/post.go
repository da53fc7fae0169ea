package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/lease"
)

// How long a lane that cannot be opened is left alone.
const (
	firstReopen = time.Second
	lastReopen  = time.Minute
)

// post is a tracker's place in this process. Its lane runs here, or in another
// process of the cluster while this one stands by, or cannot be opened yet.
type post struct {
	tracker Tracker
	stop    context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	lane    *delivery.Lane // nil unless it runs here
	trouble error          // why it could not be opened
}

func newPost(t Tracker) *post { return &post{tracker: t, done: make(chan struct{})} }

func (p *post) set(lane *delivery.Lane, trouble error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lane, p.trouble = lane, trouble
}

// running is the lane that runs here, or nil and why it could not be opened.
func (p *post) running() (*delivery.Lane, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lane, p.trouble
}

// laneLease is the lease of a tracker's lane.
func laneLease(tracker string) string { return lanePrefix + tracker }

// man runs a tracker's lane whenever it is this process's to run, until ctx ends.
func (g *Gateway) man(ctx context.Context, p *post) error {
	return g.member.RunBalanced(ctx, laneLease(p.tracker.Lane.Name), func(ctx context.Context) error {
		lane := g.reopenLane(ctx, p)
		if lane == nil {
			return nil
		}
		g.log.Info("tracker started", "tracker", p.tracker.Lane.Name, "kind", p.tracker.Kind, "mode", p.tracker.Lane.Mode)
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
// again, and tells. It returns nil when ctx ends first.
func (g *Gateway) reopenLane(ctx context.Context, p *post) *delivery.Lane {
	pause := firstReopen
	for ctx.Err() == nil {
		lane, err := g.openLane(ctx, p.tracker)
		if err == nil {
			return lane
		}
		if ctx.Err() != nil {
			break
		}
		err = fmt.Errorf("tracker %s: %w", p.tracker.Lane.Name, err)
		p.set(nil, err)
		g.log.Error("a tracker's lane cannot be opened, will retry", "tracker", p.tracker.Lane.Name, "err", err, "retry_in", pause)
		g.tell("lane", "open lane", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, lastReopen)
	}
	p.set(nil, nil)
	return nil
}
