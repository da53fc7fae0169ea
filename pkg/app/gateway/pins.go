package gateway

import (
	"context"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// loaded lets the journal trim what is safely in the warehouse.
func (g *Gateway) loaded(events event.Position, outcomes uint64) {
	ctx := context.Background() // a pin is kept in memory and written later
	for _, err := range []error{
		g.journal.Events().Pin(ctx, loaderReader, events.Seq),
		g.journal.Outcomes().Pin(ctx, loaderReader, outcomes),
	} {
		if err != nil {
			g.report("loader", "pin", err)
		}
	}
}

// report reports an incident.
func (g *Gateway) report(component, class string, err error) {
	g.reporter.Report(fault.Incident{Component: component, Class: class, Err: err, Time: time.Now()})
}

// trimIndex tells the journal what the duplicate index has stored durably, and the
// index which flags no reader will need again.
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
			g.report("duplicates", "trim", err)
		}
	}
}

func (g *Gateway) trimIndexOnce(ctx context.Context) error {
	if err := g.journal.Events().Pin(ctx, g.indexReader(), g.index.Durable().Seq); err != nil {
		return err
	}
	if err := g.forgetIndexes(ctx); err != nil {
		return err
	}
	lowest, any := uint64(0), false
	for reader, seq := range g.journal.Events().Pins() {
		if !strings.HasPrefix(reader, indexReaders) && (!any || seq < lowest) {
			lowest, any = seq, true
		}
	}
	if !any {
		return nil
	}
	return g.index.Trim(event.Position{Seq: lowest})
}
