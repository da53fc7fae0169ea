package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// lanes are the trackers that this process runs or stands by for. Only runLanes
// changes them.
type lanes struct {
	mu      sync.Mutex
	runners []*laneRunner
	changes chan []config.Tracker // the trackers from now on
}

func (l *lanes) list() []*laneRunner {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.runners)
}

func (l *lanes) set(posts []*laneRunner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runners = posts
}

// openLanes makes sure that each tracker's lane can be run, and has the journal
// keep what a new one may need, before the first event can be accepted.
func (g *Gateway) openLanes(ctx context.Context) error {
	if !g.settings.Roles.Trace {
		return nil
	}
	var posts []*laneRunner
	for _, t := range g.settings.Trackers {
		if _, err := g.openLane(ctx, t); err != nil {
			return err
		}
		posts = append(posts, newLaneRunner(t))
	}
	g.lanes.set(posts)
	g.warnOfOrphans()
	return nil
}

// openLane makes a tracker's lane. One that has never run begins now, and that
// is written down.
func (g *Gateway) openLane(ctx context.Context, t config.Tracker) (*delivery.Lane, error) {
	l, err := delivery.New(t.Lane, t.Vendor, t.Traits, g.laneDeps())
	if err != nil {
		return nil, err
	}
	reader := laneReader(t.Lane.Name)
	if err := errors.Join(g.pinFirst(ctx, g.journal.Events(), reader), g.pinFirst(ctx, g.journal.Outcomes(), reader)); err != nil {
		return nil, err
	}
	// At start intake is not open yet: "now" is before the first event.
	if err := l.Anchor(ctx); err != nil && !errors.Is(err, delivery.ErrFenced) { // ErrFenced: another process has written it down
		g.log.Warn("the start of a new tracker is not written down yet; its lane will retry", "tracker", t.Lane.Name, "err", err)
	}
	return l, nil
}

// runLanes runs the trackers' lanes until ctx ends or a lane fails, and replaces
// those whose tracker changes.
func (g *Gateway) runLanes(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	start := func(p *laneRunner) {
		own, stop := context.WithCancel(ctx)
		p.stop = stop
		group.Go(func() error {
			defer close(p.done)
			return g.runLane(own, p)
		})
	}
	for _, p := range g.lanes.list() {
		start(p)
	}
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case trackers := <-g.lanes.changes:
				g.replaceLanes(trackers, start)
			}
		}
	})
	return group.Wait()
}

// replaceLanes stops the lanes whose tracker is gone or configured differently, and
// starts those that are new. A lane goes on where its last checkpoint left off.
func (g *Gateway) replaceLanes(trackers []config.Tracker, start func(*laneRunner)) {
	var kept []*laneRunner
	for _, p := range g.lanes.list() {
		if slices.ContainsFunc(trackers, func(t config.Tracker) bool { return t.Same(p.tracker) }) {
			kept = append(kept, p)
			continue
		}
		p.stop()
		<-p.done
		g.log.Info("tracker stopped", "tracker", p.tracker.Lane.Name)
	}
	for _, t := range trackers {
		if slices.ContainsFunc(kept, func(p *laneRunner) bool { return t.Same(p.tracker) }) {
			continue
		}
		p := newLaneRunner(t)
		start(p)
		kept = append(kept, p)
	}
	g.lanes.set(kept)
	g.warnOfOrphans()
}

func (g *Gateway) laneDeps() delivery.Deps {
	return delivery.Deps{
		Source: laneFeed{g.feed()}, OutcomeLog: outcomeLog{g.journal},
		Tracer:   func() delivery.Tracer { return g.tracer.Load() },
		Reporter: g.reporter, Logger: g.log.With("component", "lane"), Registerer: g.registry,
		Sanitize: g.sanitizer.String, Release: g.options.Release,
	}
}

func (g *Gateway) warnOfOrphans() {
	for _, name := range g.orphans() {
		g.log.Warn("a tracker was taken out of the configuration: the journal keeps its backlog until it is removed", "tracker", name,
			"next", "put it back, or run: sparrow trackers remove "+name)
	}
}

// configured reports whether a tracker of this name is configured now.
func (g *Gateway) configured(name string) bool {
	return slices.ContainsFunc(g.current.Load().Trackers, func(t config.Tracker) bool { return t.Lane.Name == name })
}

// orphans are the trackers that the journal still keeps a backlog for, but that
// the configuration does not have.
func (g *Gateway) orphans() []string {
	var names []string
	for reader := range g.journal.Events().Pins() {
		name, isLane := strings.CutPrefix(reader, lanePrefix)
		if isLane && !g.configured(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// removeTracker closes a lane that is no longer configured.
func (g *Gateway) removeTracker(ctx context.Context, name string) (admin.Removal, error) {
	if !g.settings.Roles.Trace {
		return admin.Removal{}, admin.BadRequest(errors.New("this process does not run the trace role; ask one that does"))
	}
	if g.configured(name) {
		return admin.Removal{}, admin.BadRequest(fmt.Errorf("tracker %s is configured: take it out of the configuration first (SIGHUP has it read again)", name))
	}
	if h, held := g.member.Holder(laneLease(name)); held && h.Alive && !h.Self {
		return admin.Removal{}, admin.BadRequest(fmt.Errorf("tracker %s still runs at %s: take it out of the configuration there, too", name, h.Name))
	}
	if !slices.Contains(g.orphans(), name) {
		return admin.Removal{}, admin.NotFound(fmt.Errorf("no backlog is kept for a tracker named %q", name))
	}
	counted := &countingLog{outcomeLog: outcomeLog{g.journal}}
	deps := g.laneDeps()
	deps.OutcomeLog = counted
	if err := delivery.Remove(ctx, name, deps); err != nil {
		return admin.Removal{}, err
	}
	return admin.Removal{Tracker: name, Expired: counted.expired}, nil
}

// countingLog counts what a removal expires.
type countingLog struct {
	outcomeLog
	expired uint64
}

// Publish implements delivery.OutcomeLog.
func (l *countingLog) Publish(ctx context.Context, r *event.Checkpoint, after uint64) (uint64, error) {
	seq, err := l.outcomeLog.Publish(ctx, r, after)
	if err == nil {
		for _, d := range r.Deliveries {
			if d.Outcome == event.Expired {
				l.expired++
			}
		}
	}
	return seq, err
}
