package gateway

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/plan"
)

// watchFiles reads configuration and plan again when it is asked to, or when one
// of the files changes. Plan and trackers take effect at once, everything else
// with the next start.
func (g *Gateway) watchFiles(ctx context.Context) error {
	stamp := g.fileStamp()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		asked := false
		select {
		case <-ctx.Done():
			return nil
		case <-g.options.Reload:
			asked = true
		case <-tick.C:
		}
		now := g.fileStamp()
		if g.settings.Reread == nil || !asked && now == stamp {
			continue
		}
		stamp = now
		if err := g.reload(ctx); err != nil {
			g.log.Error("not reloaded: the last good configuration and plan stay in force", "err", err, "plan", g.current.Load().Plan.Version())
			g.report("configuration", "reload", err)
		}
	}
}

// fileStamp changes when one of the two files does, and when one disappears.
func (g *Gateway) fileStamp() (stamp [2]string) {
	for i, name := range [...]string{g.settings.File, g.settings.PlanFile()} {
		if info, err := os.Stat(name); err == nil {
			stamp[i] = info.ModTime().String() + " " + info.Name()
		}
	}
	return stamp
}

// reload applies the files' plan and trackers if everything in them is valid.
func (g *Gateway) reload(ctx context.Context) error {
	next, err := g.settings.Reread()
	if err != nil {
		return err
	}
	current := g.current.Load()
	g.reporter.Guard(next.Secrets())
	if next.Plan.Version() != current.Plan.Version() {
		if err := g.usePlan(next.Plan); err != nil {
			return err
		}
		g.log.Info("plan reloaded", "plan", next.Plan.Version(), "events", len(next.Plan.Events()))
	}
	applied := *g.settings // roles and the rest stay as they were at the start
	applied.Plan, applied.Trackers = next.Plan, next.Trackers
	g.current.Store(&applied)
	if g.settings.Roles.Trace {
		select {
		case g.lanes.changes <- next.Trackers:
		case <-ctx.Done():
		}
	}
	a, b := g.settings.Config, next.Config
	a.Trackers, b.Trackers = nil, nil
	if !reflect.DeepEqual(a, b) {
		g.log.Warn("the configuration changed beyond plan and trackers: that takes effect with the next start")
	}
	return nil
}

// usePlan applies a plan: in the lanes from their next window on, in the views as
// soon as the warehouse answers.
func (g *Gateway) usePlan(p *plan.Plan) error {
	tracer, err := g.settings.Tracer(p, g.sanitizer)
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	g.tracer.Store(tracer)
	if g.loader != nil {
		g.loader.SetPlan(config.StoredPlan(p))
	}
	return nil
}
