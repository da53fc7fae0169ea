package warehouse

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// lookAround is how often the lag is measured.
const lookAround = 5 * time.Second

// lag measures how far the warehouse is behind the journal. It runs beside the
// carrier, so that the metrics are right just when loading fails.
type lag struct {
	*Loader
	kept func() uint64 // the first message the journal keeps for the loader
	// next is the first message not loaded; 0 until the warehouse has said so.
	next atomic.Uint64
}

// reached notes what is loaded.
func (g *lag) reached(events event.Position) { g.next.Store(max(events.Seq, firstSeq)) }

// watch measures until the function that it returns is called.
func (g *lag) watch(ctx context.Context) (stop func()) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	g.next.Store(0)
	var watching sync.WaitGroup
	watching.Go(func() { g.run(ctx) })
	return func() {
		end()
		watching.Wait()
	}
}

func (g *lag) run(ctx context.Context) {
	tick := time.NewTicker(lookAround)
	defer tick.Stop()
	for {
		g.measure(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// measure counts from what the journal keeps while the warehouse, away since the
// start, cannot say how far it is loaded.
func (g *lag) measure(ctx context.Context) {
	end, err := g.events.End(ctx)
	if err != nil {
		return // the pump tells of a journal that is away
	}
	next := g.next.Load()
	if next == 0 {
		next = max(g.kept(), firstSeq)
		g.look(ctx, next, end)
	}
	g.metrics.behind.Set(max(0, float64(end.Seq)-float64(next)))
}

// look finds the age of the oldest record that is not loaded, for nobody reads
// the journal yet.
func (g *lag) look(ctx context.Context, next uint64, end event.Position) {
	if next >= end.Seq || g.metrics.oldest.Load() != 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookAround)
	defer cancel()
	reader, err := g.events.Read(ctx, event.Position{Seq: next})
	if err != nil {
		return
	}
	defer reader.Close()
	if batch, err := reader.Next(ctx); err == nil && len(batch.Records) > 0 && g.next.Load() == 0 {
		g.metrics.oldest.Store(batch.Records[0].ReceivedAt.UnixMicro())
	}
}
