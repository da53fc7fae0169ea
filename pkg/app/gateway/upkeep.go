package gateway

import (
	"context"
	"os"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/plan"
)

// loaded lets the journal forget what is safely in the warehouse.
func (g *Gateway) loaded(events event.Position, outcomes uint64) {
	ctx := context.Background() // a hold is kept in memory and written later
	for _, err := range []error{
		g.journal.Events().Hold(ctx, loaderReader, events.Seq),
		g.journal.Outcomes().Hold(ctx, loaderReader, outcomes),
	} {
		if err != nil {
			g.reporter.Observe(fault.Incident{Component: "loader", Class: "hold", Err: err, Time: time.Now()})
		}
	}
}

// trimIndex tells the journal how far the duplicate index has read for good, and
// the index which flags no reader will ask for any more.
func (g *Gateway) trimIndex(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := g.trimIndexOnce(ctx); err != nil && ctx.Err() == nil {
			g.reporter.Observe(fault.Incident{Component: "duplicates", Class: "trim", Err: err, Time: time.Now()})
		}
	}
}

func (g *Gateway) trimIndexOnce(ctx context.Context) error {
	if err := g.journal.Events().Hold(ctx, indexReader, g.index.Durable().Seq); err != nil {
		return err
	}
	lowest, any := uint64(0), false
	for reader, seq := range g.journal.Events().Holds() {
		if reader != indexReader && (!any || seq < lowest) {
			lowest, any = seq, true
		}
	}
	if !any {
		return nil
	}
	return g.index.Trim(event.Position{Seq: lowest})
}

// watchPlan reads the plan again when it is told to or its file changes.
func (g *Gateway) watchPlan(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.options.Reload:
			g.reloadPlan(true)
		case <-tick.C:
			g.reloadPlan(false)
		}
	}
}

// reloadPlan reads the plan's file and puts it in force if it is good and not
// the one in force. A plan that is wrong changes nothing and is told: once for
// each state of the file, and always when somebody asked.
func (g *Gateway) reloadPlan(asked bool) {
	if g.settings.planFile == "" {
		return
	}
	stamp, err := os.Stat(g.settings.planFile)
	if err == nil && !asked && stamp.ModTime().Equal(g.planRead) {
		return
	}
	if err == nil {
		g.planRead = stamp.ModTime()
	} else if !asked && g.planRead.IsZero() {
		return // told already
	} else {
		g.planRead = time.Time{}
	}
	next, err := g.loadPlan()
	if err != nil {
		g.refusePlan(err)
		return
	}
	if next.Version() == g.plan.Load().Version() {
		return
	}
	if err := g.usePlan(next); err != nil {
		g.refusePlan(err)
		return
	}
	g.log.Info("plan reloaded", "plan", next.Version(), "events", len(next.Events()))
}

func (g *Gateway) refusePlan(err error) {
	g.log.Error("plan not reloaded, the last good one stays in force", "err", err, "plan", g.plan.Load().Version())
	g.reporter.Observe(fault.Incident{Component: "plan", Class: "reload", Err: err, Time: time.Now()})
}

func (g *Gateway) loadPlan() (*plan.Plan, error) {
	next, err := plan.Load(g.settings.planFile)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range g.settings.Trackers {
		names = append(names, t.Lane.Name)
	}
	return next, next.CheckTrackers(names)
}
