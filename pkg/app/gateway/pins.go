package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// The names of the pins by which readers keep what they still need in the journal.
const (
	loaderReader = "loader"
	indexReaders = "duplicates" // the prefix of each index's name
	lanePrefix   = "lane-"
)

// laneName is the name of a lane's pins, and of its lease.
func laneName(tracker string) string { return lanePrefix + tracker }

// indexReader is the name of the pin of this process's duplicate index. In a cluster
// each process that reads has an index of its own.
func (g *Gateway) indexReader() string {
	if g.shared() {
		return indexReaders + "-" + g.node
	}
	return indexReaders
}

// indexForgotten is for how long nothing is heard of a process before the
// journal is no longer kept for its duplicate index.
const indexForgotten = time.Hour

// pinFirst makes the journal keep all that is still there for a reader that has
// no pin yet.
func pinFirst(ctx context.Context, reader string, streams ...*journal.Stream) error {
	for _, s := range streams {
		if _, pinned := s.Pins()[reader]; pinned {
			continue
		}
		first, _, err := s.Bounds(ctx)
		if err != nil {
			return fmt.Errorf("pin the journal for %s: %w", reader, err)
		}
		if err := s.Pin(ctx, reader, first); err != nil {
			return err
		}
	}
	return nil
}

// loaded lets the journal trim what is safely in the warehouse.
func (g *Gateway) loaded(events event.Position, outcomes uint64) {
	ctx := context.Background() // a pin is kept in memory and written later
	err := errors.Join(g.journal.Events().Pin(ctx, loaderReader, events.Seq), g.journal.Outcomes().Pin(ctx, loaderReader, outcomes))
	if err != nil {
		g.report("loader", "pin", err)
	}
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

// forgetIndexes removes the pins of duplicate indexes whose processes are gone. When
// such a process comes back, its index does not know what was trimmed meanwhile.
func (g *Gateway) forgetIndexes(ctx context.Context) error {
	if !g.shared() {
		return nil
	}
	var errs []error
	for reader := range g.journal.Events().Pins() {
		node, isIndex := strings.CutPrefix(reader, indexReaders+"-")
		if !isIndex || g.member.SilentFor(node) < indexForgotten {
			continue
		}
		g.log.Warn("a process is gone: the journal is no longer kept for its duplicate index", "node", node)
		errs = append(errs, g.journal.Events().Unpin(ctx, reader))
	}
	return errors.Join(errs...)
}
