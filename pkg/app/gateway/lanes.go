package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/lease"
)

// lanes are the trackers that this process runs or stands by for. Only run changes
// the list.
type lanes struct {
	journal *journal.Journal
	member  *lease.Member
	current *atomic.Pointer[config.Settings]
	deps    delivery.Deps // of each lane
	log     *slog.Logger
	report  func(component, class string, err error)

	mu      sync.Mutex
	runners []*laneRunner
	changes chan []config.Tracker // the trackers from now on
}

func (l *lanes) list() []*laneRunner {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.runners)
}

func (l *lanes) set(runners []*laneRunner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runners = runners
}

// open makes sure that each tracker's lane can be run, and has the journal keep
// what a new one may need, before the first event can be accepted.
func (l *lanes) open(ctx context.Context) error {
	var runners []*laneRunner
	for _, t := range l.current.Load().Trackers {
		if _, err := l.openLane(ctx, t); err != nil {
			return err
		}
		runners = append(runners, newLaneRunner(t))
	}
	l.set(runners)
	l.warnOfOrphans()
	return nil
}

// openLane makes a tracker's lane. One that has never run begins now, and that
// is written down.
func (l *lanes) openLane(ctx context.Context, t config.Tracker) (*delivery.Lane, error) {
	lane, err := delivery.New(t.Lane, t.Vendor, t.Traits, l.deps)
	if err != nil {
		return nil, err
	}
	if err := pinFirst(ctx, laneName(t.Lane.Name), l.journal.Events(), l.journal.Outcomes()); err != nil {
		return nil, err
	}
	// At start intake is not open yet: "now" is before the first event.
	// ErrFenced means that another process has written it down.
	if err := lane.Anchor(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, delivery.ErrFenced) {
		l.log.Warn("the start of a new tracker is not written down yet; its lane will retry", "tracker", t.Lane.Name, "err", err)
	}
	return lane, nil
}

// run runs the trackers' lanes until ctx ends or a lane fails, and replaces
// those whose tracker changes.
func (l *lanes) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	start := func(p *laneRunner) {
		own, stop := context.WithCancel(ctx)
		p.stop = stop
		group.Go(func() error {
			defer close(p.done)
			return l.runLane(own, p)
		})
	}
	for _, p := range l.list() {
		start(p)
	}
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case trackers := <-l.changes:
				l.replace(trackers, start)
			}
		}
	})
	return group.Wait()
}

// replace stops the lanes whose tracker is gone or configured differently, and
// starts those that are new. A lane goes on where its last checkpoint left off.
func (l *lanes) replace(trackers []config.Tracker, start func(*laneRunner)) {
	var kept []*laneRunner
	for _, p := range l.list() {
		if slices.ContainsFunc(trackers, func(t config.Tracker) bool { return t.Same(p.tracker) }) {
			kept = append(kept, p)
			continue
		}
		p.stop()
		<-p.done
		l.log.Info("tracker stopped", "tracker", p.tracker.Lane.Name)
	}
	for _, t := range trackers {
		if slices.ContainsFunc(kept, func(p *laneRunner) bool { return t.Same(p.tracker) }) {
			continue
		}
		p := newLaneRunner(t)
		start(p)
		kept = append(kept, p)
	}
	l.set(kept)
	l.warnOfOrphans()
}

func (l *lanes) warnOfOrphans() {
	for _, name := range l.orphans() {
		l.log.Warn("a tracker was taken out of the configuration: the journal keeps its backlog until it is removed", "tracker", name,
			"next", "put it back, or run: sparrow trackers remove "+name)
	}
}

// configured reports whether a tracker of this name is configured now.
func (l *lanes) configured(name string) bool {
	return slices.Contains(l.current.Load().TrackerNames(), name)
}

// orphans are the trackers that the journal still keeps a backlog for, but that
// the configuration does not have.
func (l *lanes) orphans() []string {
	var names []string
	for reader := range l.journal.Events().Pins() {
		name, isLane := strings.CutPrefix(reader, lanePrefix)
		if isLane && !l.configured(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// remove closes a lane that is no longer configured.
func (l *lanes) remove(ctx context.Context, name string) (admin.Removal, error) {
	if l.configured(name) {
		return admin.Removal{}, admin.BadRequest(fmt.Errorf("tracker %s is configured: take it out of the configuration first (SIGHUP has it read again)", name))
	}
	if h, held := l.member.Holder(laneName(name)); held && h.Alive && !h.Self {
		return admin.Removal{}, admin.BadRequest(fmt.Errorf("tracker %s still runs at %s: take it out of the configuration there, too", name, h.Name))
	}
	if !slices.Contains(l.orphans(), name) {
		return admin.Removal{}, admin.NotFound(fmt.Errorf("no backlog is kept for a tracker named %q", name))
	}
	counted := &countingLog{outcomeLog: outcomeLog{l.journal}}
	deps := l.deps
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
