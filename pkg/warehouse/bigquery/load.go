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

// loadTimeout allows a batch the time of one call for each 8 MiB, and of one for
// counting days again.
func loadTimeout(b *warehouse.Batch, call time.Duration) time.Duration {
	size := 0
	for i := range b.Raw {
		size += len(b.Raw[i].Data) + len(b.Raw[i].Translated)
	}
	return call * time.Duration(2+size>>23)
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
	if err := w.nameDeliveries(ctx, batch, b); err != nil {
		return err
	}
	at := time.Now()
	e := rowEncoder{b.Outcomes.Epoch, at}
	raw := partOf(rawTable, b.Raw, e.raw)
	raw.first = len(batch.Raw) - len(b.Raw)
	steps := [...][]part{
		{partOf(namesTable, b.Names, e.name), raw},
		{
			partOf(quarantineTable, refusedRows(b.Raw), e.quarantine), partOf(deliveriesTable, b.Deliveries, e.delivery),
			partOf(filteredTable, b.Filtered, e.filtered), partOf(leaksTable, b.Leaks, e.leak), partOf(gapsTable, b.Gaps, e.gap),
		},
		{partOf(lanesTable, newestLanes(b.Lanes), e.lane)},
	}
	for _, step := range steps {
		group, within := errgroup.WithContext(ctx)
		for _, p := range step {
			group.Go(func() error { return w.append(within, p) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	for _, p := range slices.Concat(steps[:]...) {
		if c := w.counters[p.table]; c != nil {
			c.ahead = max(0, c.ahead-int64(p.rows))
		}
	}
	next := w.last.advanced(b.Events, at).advanced(b.Outcomes, at)
	if err := w.addSums(ctx, next, b); err != nil {
		return err
	}
	return w.commit(ctx, next)
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

// part is one table's rows of a batch.
type part struct {
	table  *table
	rows   int
	first  int // number of its first row in the whole batch
	encode func(i int, stripped bool) []byte
}

func partOf[R any](t *table, rows []R, encode func(r *R, stripped bool) []byte) part {
	return part{table: t, rows: len(rows), encode: func(i int, stripped bool) []byte { return encode(&rows[i], stripped) }}
}

// append appends a part. If BigQuery refuses rows of raw, the error is a
// *warehouse.RowsError. A refused row of another counted table is retried without
// its free-text columns, which come from outside.
func (w *writer) append(ctx context.Context, p part) error {
	c := w.counters[p.table]
	if c == nil {
		return w.defaults.append(ctx, p.table, p.rows, func(i int) []byte { return p.encode(i, false) })
	}
	stripped := map[int]bool{}
	for {
		err := c.append(ctx, p.rows, func(i int) []byte { return p.encode(i, stripped[i]) })
		refused, ok := errors.AsType[*refusal](err)
		if !ok {
			return err
		}
		if p.table == rawTable {
			list := &warehouse.RowsError{}
			for _, i := range slices.Sorted(maps.Keys(refused.rows)) {
				list.Rows = append(list.Rows, warehouse.RowError{Row: p.first + i, Reason: "refused by BigQuery: " + refused.rows[i]})
			}
			return list
		}
		for i, reason := range refused.rows {
			if stripped[i] {
				return fault.Permanent(fmt.Errorf("append to %s: a row is refused again: %s", p.table.name, reason))
			}
			stripped[i] = true
			w.log.Warn("BigQuery refused a row; it is stored without its texts", "table", p.table.name, "err", reason)
		}
	}
}
