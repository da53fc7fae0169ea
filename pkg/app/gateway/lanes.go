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
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// lane is a tracker's lane as the gateway runs it.
type lane struct {
	*delivery.Lane
	tracker Tracker
	stop    context.CancelFunc
	done    chan struct{}
}

// fleet is the lanes that run. Only runLanes changes it.
type fleet struct {
	mu      sync.Mutex
	lanes   []*lane
	changes chan []Tracker // trackers to run from now on
}

func (f *fleet) list() []*lane {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lanes)
}

func (f *fleet) set(lanes []*lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lanes = lanes
}

// openLanes makes a lane for each tracker, and has the journal keep what a new
// one may need.
func (g *Gateway) openLanes(ctx context.Context) error {
	if !g.settings.roles.trace {
		return nil
	}
	var lanes []*lane
	for _, t := range g.settings.Trackers {
		l, err := g.openLane(ctx, t)
		if err != nil {
			return err
		}
		lanes = append(lanes, l)
	}
	g.fleet.set(lanes)
	g.warnOfOrphans()
	return nil
}

func (g *Gateway) openLane(ctx context.Context, t Tracker) (*lane, error) {
	l, err := delivery.New(t.Lane, t.Vendor, t.Traits, g.laneDeps())
	if err != nil {
		return nil, err
	}
	reader := laneReader(t.Lane.Name)
	if err := errors.Join(g.claim(ctx, g.journal.Events(), reader), g.claim(ctx, g.journal.Outcomes(), reader)); err != nil {
		return nil, err
	}
	// At start intake is not open yet: "now" is before the first event.
	if err := l.Anchor(ctx); err != nil {
		g.log.Warn("a tracker's beginning is not written down yet, its lane will try again", "tracker", t.Lane.Name, "err", err)
	}
	return &lane{Lane: l, tracker: t}, nil
}

// runLanes runs the lanes until ctx ends or one fails, and exchanges those whose
// tracker changes.
func (g *Gateway) runLanes(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	start := func(l *lane) {
		own, stop := context.WithCancel(ctx)
		l.stop, l.done = stop, make(chan struct{})
		group.Go(func() error {
			defer close(l.done)
			return l.Run(own)
		})
	}
	for _, l := range g.fleet.list() {
		start(l)
	}
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case trackers := <-g.fleet.changes:
				g.exchange(ctx, trackers, start)
			}
		}
	})
	return group.Wait()
}

// exchange stops the lanes whose tracker is gone or configured otherwise, and
// starts those that are new. A lane goes on where its last report left off.
func (g *Gateway) exchange(ctx context.Context, trackers []Tracker, start func(*lane)) {
	var kept []*lane
	for _, l := range g.fleet.list() {
		if slices.ContainsFunc(trackers, func(t Tracker) bool { return t.same(l.tracker) }) {
			kept = append(kept, l)
			continue
		}
		l.stop()
		<-l.done
		g.log.Info("tracker stopped", "tracker", l.tracker.Lane.Name)
	}
	for _, t := range trackers {
		if slices.ContainsFunc(kept, func(l *lane) bool { return t.same(l.tracker) }) {
			continue
		}
		l, err := g.openLane(ctx, t)
		if err != nil {
			g.tell("lane", "open lane", fmt.Errorf("tracker %s: %w", t.Lane.Name, err))
			continue
		}
		start(l)
		kept = append(kept, l)
		g.log.Info("tracker started", "tracker", t.Lane.Name, "kind", t.Kind, "mode", t.Lane.Mode)
	}
	g.fleet.set(kept)
	g.warnOfOrphans()
}

func (g *Gateway) laneDeps() delivery.Deps {
	return delivery.Deps{
		Source: laneFeed{g.feed()}, Ledger: ledger{g.journal},
		Tracer:   func() delivery.Tracer { return g.tracer.Load() },
		Observer: g.reporter, Logger: g.log.With("component", "lane"), Registerer: g.registry,
		Sanitize: g.sanitizer.String, Release: g.options.Release,
	}
}

func (g *Gateway) warnOfOrphans() {
	for _, name := range g.orphans() {
		g.log.Warn("a tracker was taken out of the configuration: the journal keeps its backlog until it is closed", "tracker", name,
			"next", "put it back, or run: sparrow trackers remove "+name)
	}
}

// configured reports whether a tracker of this name is configured now.
func (g *Gateway) configured(name string) bool {
	return slices.ContainsFunc(g.inForce.Load().Trackers, func(t Tracker) bool { return t.Lane.Name == name })
}

// orphans are the trackers that the journal still keeps a backlog for, but that
// the configuration does not have.
func (g *Gateway) orphans() []string {
	var names []string
	for reader := range g.journal.Events().Holds() {
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
	if !g.settings.roles.trace {
		return admin.Removal{}, admin.BadRequest(errors.New("this process does not run the trace role; ask one that does"))
	}
	if g.configured(name) {
		return admin.Removal{}, admin.BadRequest(fmt.Errorf("tracker %s is configured: take it out of the configuration first (SIGHUP has it read again)", name))
	}
	if !slices.Contains(g.orphans(), name) {
		return admin.Removal{}, admin.NotFound(fmt.Errorf("no backlog is kept for a tracker named %q", name))
	}
	counted := &countingLedger{ledger: ledger{g.journal}}
	deps := g.laneDeps()
	deps.Ledger = counted
	if err := delivery.Remove(ctx, name, deps); err != nil {
		return admin.Removal{}, err
	}
	return admin.Removal{Tracker: name, Expired: counted.expired}, nil
}

// countingLedger counts what a removal expires.
type countingLedger struct {
	ledger
	expired uint64
}

// Publish implements delivery.Ledger.
func (l *countingLedger) Publish(ctx context.Context, r *event.Report, after uint64) (uint64, error) {
	seq, err := l.ledger.Publish(ctx, r, after)
	if err == nil {
		for _, d := range r.Deliveries {
			if d.Outcome == event.Expired {
				l.expired++
			}
		}
	}
	return seq, err
}

// trackers is the state of every lane, and of those that only a backlog is left of.
func (g *Gateway) trackers(ctx context.Context) ([]admin.TrackerStatus, error) {
	_, end, err := g.journal.Events().Bounds(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure the backlog: %w", err)
	}
	var list []admin.TrackerStatus
	for _, l := range g.fleet.list() {
		s := l.Status()
		status := admin.TrackerStatus{
			Name: l.tracker.Lane.Name, Kind: l.tracker.Kind, Mode: string(s.Mode), State: laneState(s), Position: s.Cursor.String(),
			Backlog: end - min(end, s.Cursor.Seq), Parked: s.Parked, LagSeconds: s.Lag.Seconds(), Outcomes: map[string]uint64{},
		}
		for outcome, n := range s.Outcomes {
			status.Outcomes[outcome.String()] = n
		}
		list = append(list, status)
	}
	holds := g.journal.Events().Holds()
	for _, name := range g.orphans() {
		list = append(list, admin.TrackerStatus{
			Name: name, State: "not configured: its backlog is kept; see `sparrow trackers remove`",
			Position: event.Position{Seq: holds[laneReader(name)]}.String(),
		})
	}
	return list, nil
}

// sayWhyPending adds to what is pending what its lane waits for.
func (g *Gateway) sayWhyPending(hops []admin.Hop) {
	for i := range hops {
		for _, l := range g.fleet.list() {
			if s := l.Status(); hops[i].Outcome == event.Pending.String() && hops[i].Tracker == l.tracker.Lane.Name && s.BreakerWhy != "" {
				hops[i].Reason += "; the vendor takes nothing: " + s.BreakerWhy
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
