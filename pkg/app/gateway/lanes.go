package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// lane is a tracker's lane as the gateway runs it.
type lane struct {
	*delivery.Lane
	name string
	kind string
}

func (l *lane) run(ctx context.Context) error { return l.Run(ctx) }

// openLanes makes a lane for each tracker, and has the journal keep what a new
// one may need.
func (g *Gateway) openLanes(ctx context.Context) error {
	if !g.settings.roles.trace {
		return nil
	}
	for _, t := range g.settings.Trackers {
		l, err := delivery.New(t.Lane, t.Vendor, t.Traits, g.laneDeps())
		if err != nil {
			return err
		}
		reader := laneReader(t.Lane.Name)
		if err := g.claim(ctx, g.journal.Events(), reader); err != nil {
			return err
		}
		if err := g.claim(ctx, g.journal.Outcomes(), reader); err != nil {
			return err
		}
		// Intake is not open yet: "now" is before the first event of this process.
		if err := l.Anchor(ctx); err != nil {
			g.log.Warn("a tracker's beginning is not written down yet, its lane will try again", "tracker", t.Lane.Name, "err", err)
		}
		g.lanes = append(g.lanes, &lane{l, t.Lane.Name, t.Kind})
	}
	for _, name := range g.orphans() {
		g.log.Warn("a tracker was taken out of the configuration: the journal keeps its backlog until it is closed", "tracker", name,
			"next", "put it back, or run: sparrow trackers remove "+name)
	}
	return nil
}

func (g *Gateway) laneDeps() delivery.Deps {
	return delivery.Deps{
		Source: laneFeed{g.feed()}, Ledger: ledger{g.journal},
		Tracer:   func() delivery.Tracer { return g.tracer.Load() },
		Observer: g.reporter, Logger: g.log.With("component", "lane"), Registerer: g.registry,
		Sanitize: g.sanitizer.String, Release: g.options.Release,
	}
}

// orphans are the trackers that the journal still keeps a backlog for, but that
// the configuration does not have.
func (g *Gateway) orphans() []string {
	var names []string
	for reader := range g.journal.Events().Holds() {
		name, isLane := strings.CutPrefix(reader, lanePrefix)
		if isLane && !slices.ContainsFunc(g.settings.Trackers, func(t Tracker) bool { return t.Lane.Name == name }) {
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
	if slices.ContainsFunc(g.settings.Trackers, func(t Tracker) bool { return t.Lane.Name == name }) {
		return admin.Removal{}, admin.BadRequest(fmt.Errorf("tracker %s is configured: take it out of the configuration and restart the gateway first", name))
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
func (g *Gateway) trackers() []admin.TrackerStatus {
	var list []admin.TrackerStatus
	for _, l := range g.lanes {
		s := l.Status()
		status := admin.TrackerStatus{
			Name: l.name, Kind: l.kind, Mode: string(s.Mode), State: laneState(s), Position: s.Cursor.String(),
			Backlog: s.Backlog, Parked: s.Parked, LagSeconds: s.Lag.Seconds(), Outcomes: map[string]uint64{},
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
	return list
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
