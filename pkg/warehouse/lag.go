package warehouse

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// measureEvery is how often the lag is measured.
const measureEvery = 5 * time.Second

// lag measures how far the warehouse is behind the journal. It runs beside the
// batcher, so that the metrics are right while loading fails.
type lag struct {
	events  Events
	pinned  func() uint64 // the first message the journal keeps for the loader; may be nil
	metrics *metrics
	// next is the first message not loaded; 0 until the warehouse has said so.
	next atomic.Uint64
}

// loaded notes how far the events are loaded.
func (g *lag) loaded(events event.Position) { g.next.Store(max(events.Seq, firstSeq)) }

// watch measures until the function that it returns is called.
func (g *lag) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	g.next.Store(0)
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(measureEvery)
		defer tick.Stop()
		for {
			g.measure(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// measure counts the messages that are not loaded. While the warehouse has not
// said how far it is loaded, it counts from the first message that the journal
// keeps for the loader.
func (g *lag) measure(ctx context.Context) {
	end, err := g.events.End(ctx)
	if err != nil {
		return // the pump reports a journal that is away
	}
	next := g.next.Load()
	if next == 0 {
		next = firstSeq
		if g.pinned != nil {
			next = max(g.pinned(), firstSeq)
		}
		g.findOldest(ctx, next, end)
	}
	g.metrics.behind.Set(max(0, float64(end.Seq)-float64(next)))
}

// findOldest reads the receipt time of the oldest record that is not loaded: the
// pump does not read yet.
func (g *lag) findOldest(ctx context.Context, next uint64, end event.Position) {
	if next >= end.Seq || g.metrics.oldest.Load() != 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, measureEvery)
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
