package bigquery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// loadTimeout allows a batch the time of one call for each 8 MiB.
func loadTimeout(b *warehouse.Batch, call time.Duration) time.Duration {
	size := 0
	for i := range b.Raw {
		size += len(b.Raw[i].Data) + len(b.Raw[i].Translated)
	}
	return call * time.Duration(1+size>>23)
}

// oversized refuses the raw rows that do not fit into a request.
func oversized(b *warehouse.Batch, limit quantity.Size) error {
	var refused []warehouse.RowError
	for i := range b.Raw {
		r := &b.Raw[i]
		if r.Refused == "" && len(r.Data)+len(r.Context)+len(r.Translated) > int(limit) {
			refused = append(refused, warehouse.RowError{Row: i, Reason: fmt.Sprintf("%d bytes of data, over the limit of %s", len(r.Data), limit)})
		}
	}
	if refused != nil {
		return &warehouse.RowsError{Rows: refused}
	}
	return nil
}

// load stores what the last commit does not cover of a batch. Rows that BigQuery
// refuses are a *warehouse.RowsError; after it the writer goes on. After any
// other error the writer is to be closed.
func (w *writer) load(ctx context.Context, batch *warehouse.Batch) error {
	b := batch.After(w.last.positions())
	if b.Empty() {
		return nil
	}
	if err := w.changeEpochs(ctx, b); err != nil {
		return err
	}
	at := time.Now()
	for _, step := range [...][]func(context.Context) error{
		{w.names(b), w.raw(b, len(batch.Raw)-len(b.Raw))},
		{w.quarantine(b, at), w.deliveries(b), w.filtered(b), w.leaks(b), w.gaps(b, at)},
		{w.lanes(b)},
	} {
		group, within := errgroup.WithContext(ctx)
		for _, part := range step {
			group.Go(func() error { return part(within) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	for t, rows := range map[*table]int{rawTable: len(b.Raw), deliveriesTable: len(b.Deliveries), filteredTable: len(b.Filtered), leaksTable: len(b.Leaks)} {
		c := w.counters[t]
		c.ahead = max(0, c.ahead-int64(rows))
	}
	return w.commit(ctx, w.last.advanced(b.Events, at).advanced(b.Outcomes, at))
}

// changeEpochs commits that rows ahead belong to the batch's epochs from now on.
// Rows ahead of another epoch's position stay in the tables: their journal is
// gone, so nobody will load them again.
func (w *writer) changeEpochs(ctx context.Context, b *warehouse.Batch) error {
	next := *w.last
	if epoch := b.Events.Epoch; epoch != "" && epoch != next.Events {
		next.Events = epoch
		w.counters[rawTable].ahead = 0
	}
	if epoch := b.Outcomes.Epoch; epoch != "" && epoch != next.Outcomes {
		next.Outcomes = epoch
		for _, t := range counted[1:] {
			w.counters[t].ahead = 0
		}
	}
	if next.Events == w.last.Events && next.Outcomes == w.last.Outcomes {
		return nil
	}
	return w.commit(ctx, &next)
}

// raw appends the rows of raw. A refused row is named by its number in the whole
// batch, of which the first rows were dropped.
func (w *writer) raw(b *warehouse.Batch, dropped int) func(context.Context) error {
	return func(ctx context.Context) error {
		err := w.counters[rawTable].append(ctx, len(b.Raw), func(i int) []byte { return encodeRaw(&b.Raw[i]) })
		refused, ok := errors.AsType[*refusal](err)
		if !ok {
			return err
		}
		list := &warehouse.RowsError{}
		for _, i := range slices.Sorted(maps.Keys(refused.rows)) {
			list.Rows = append(list.Rows, warehouse.RowError{Row: dropped + i, Reason: "refused by BigQuery: " + refused.rows[i]})
		}
		return list
	}
}

// outcomes appends rows of a counted table. A refused row is retried without its
// free-text columns, which come from outside.
func (w *writer) outcomes(t *table, n int, encode func(i int, stripped bool) []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		stripped := map[int]bool{}
		for {
			err := w.counters[t].append(ctx, n, func(i int) []byte { return encode(i, stripped[i]) })
			refused, ok := errors.AsType[*refusal](err)
			if !ok {
				return err
			}
			for i, reason := range refused.rows {
				if stripped[i] {
					return fault.Permanent(fmt.Errorf("append to %s: a row is refused again: %s", t.name, reason))
				}
				stripped[i] = true
				w.log.Warn("BigQuery refused a row; it is stored without its texts", "table", t.name, "err", reason)
			}
		}
	}
}

func (w *writer) deliveries(b *warehouse.Batch) func(context.Context) error {
	return w.outcomes(deliveriesTable, len(b.Deliveries), func(i int, stripped bool) []byte {
		return encodeDelivery(&b.Deliveries[i], b.Outcomes.Epoch, stripped)
	})
}

func (w *writer) filtered(b *warehouse.Batch) func(context.Context) error {
	return w.outcomes(filteredTable, len(b.Filtered), func(i int, stripped bool) []byte {
		return encodeFiltered(&b.Filtered[i], b.Outcomes.Epoch, stripped)
	})
}

func (w *writer) leaks(b *warehouse.Batch) func(context.Context) error {
	return w.outcomes(leaksTable, len(b.Leaks), func(i int, stripped bool) []byte {
		return encodeLeak(&b.Leaks[i], b.Outcomes.Epoch, stripped)
	})
}

// byDefault appends rows that may be stored twice.
func (w *writer) byDefault(t *table, n int, encode func(i int) []byte) func(context.Context) error {
	return func(ctx context.Context) error { return w.defaults.append(ctx, t, n, encode) }
}

func (w *writer) names(b *warehouse.Batch) func(context.Context) error {
	return w.byDefault(namesTable, len(b.Names), func(i int) []byte {
		return newEncoder(64).date(storable(b.Names[i].Day, true)).text(b.Names[i].Source, b.Names[i].Event).row
	})
}

func (w *writer) quarantine(b *warehouse.Batch, at time.Time) func(context.Context) error {
	var refused []*warehouse.RawRow
	for i := range b.Raw {
		if b.Raw[i].Refused != "" {
			refused = append(refused, &b.Raw[i])
		}
	}
	return w.byDefault(quarantineTable, len(refused), func(i int) []byte { return encodeQuarantine(refused[i], at) })
}

func (w *writer) gaps(b *warehouse.Batch, at time.Time) func(context.Context) error {
	return w.byDefault(gapsTable, len(b.Gaps), func(i int) []byte { return encodeGap(&b.Gaps[i], b.Outcomes.Epoch, at) })
}

func (w *writer) lanes(b *warehouse.Batch) func(context.Context) error {
	lanes := newestLanes(b.Lanes)
	return w.byDefault(lanesTable, len(lanes), func(i int) []byte { return encodeLane(lanes[i], b.Outcomes.Epoch) })
}
