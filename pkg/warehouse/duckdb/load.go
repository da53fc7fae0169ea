//go:build cgo

package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Load stores the batch, its sums and its positions in one transaction. An error in
// making typed rows ends it: Load then finds the rows at fault, beside that
// transaction, and names them with the Typing that is possible.
func (f *file) Load(ctx context.Context, batch *warehouse.Batch) error {
	if err := f.checkRows(batch); err != nil {
		return err
	}
	var rest *warehouse.Batch
	err := f.write(ctx, "load batch", func(tx *transaction) error {
		positions, err := readPositions(ctx, tx.conn)
		if err != nil {
			return err
		}
		rest = batch.After(positions)
		for _, step := range [...]func(*warehouse.Batch) error{
			tx.loadRaw, tx.loadQuarantine, tx.loadNames, tx.loadDeliveries, tx.loadFiltered, tx.loadLeaks, tx.loadGaps,
		} {
			if err := step(rest); err != nil {
				return err
			}
		}
		if err := tx.loadEvents(rest, f.columns); err != nil {
			return err
		}
		counting, err := tx.beginSums(rest, positions)
		if err != nil {
			return err
		}
		for _, step := range [...]func(*warehouse.Batch) error{tx.loadLanes, tx.loadPositions, counting.finish} {
			if err := step(rest); err != nil {
				return err
			}
		}
		return tx.exec("delete from temp.staged_deliveries")
	})
	if t, atFault := errors.AsType[*typingError](err); atFault {
		return f.untypedInBatch(ctx, rest, t.kind, len(batch.Raw)-len(rest.Raw))
	}
	return err
}

// checkRows names the rows that are too large.
func (f *file) checkRows(b *warehouse.Batch) error {
	var bad []warehouse.RowError
	for i := range b.Raw {
		if size := len(b.Raw[i].Data); b.Raw[i].Refused == "" && size > int(f.config.MaxRow) {
			bad = append(bad, warehouse.RowError{Row: i, Reason: fmt.Sprintf("%d bytes of data, over the limit of %s", size, f.config.MaxRow)})
		}
	}
	if bad != nil {
		return &warehouse.RowsError{Rows: bad}
	}
	return nil
}

func (tx *transaction) loadRaw(b *warehouse.Batch) error {
	values := make([]driver.Value, 14)
	return tx.append("", "raw", len(b.Raw), func(i int) []driver.Value {
		r := &b.Raw[i]
		values = append(values[:0], r.EventID, r.Timestamp, r.Data, r.Receipt.String(), r.Source, r.Context, r.Duplicate,
			warehouse.Day(r.Timestamp), r.Receipt.Epoch, r.Receipt.Seq, r.Receipt.Index, r.Event, r.Usable, nil)
		if r.Translated != "" {
			values[13] = r.Translated
		}
		if r.Refused != "" {
			values[2], values[12], values[13] = nil, false, nil
		}
		return values
	})
}

func (tx *transaction) loadQuarantine(b *warehouse.Batch) error {
	var refused []*warehouse.RawRow
	for i := range b.Raw {
		if b.Raw[i].Refused != "" {
			refused = append(refused, &b.Raw[i])
		}
	}
	at := now()
	return tx.append("", "quarantine", len(refused), func(i int) []driver.Value {
		r := refused[i]
		return []driver.Value{r.Receipt.String(), r.EventID, r.Timestamp, r.Source, r.Refused, int64(len(r.Data)), at}
	})
}

func (tx *transaction) loadNames(b *warehouse.Batch) error {
	if len(b.Names) == 0 {
		return nil
	}
	err := tx.append("temp", "staged_names", len(b.Names), func(i int) []driver.Value {
		return []driver.Value{b.Names[i].Day, b.Names[i].Source, b.Names[i].Event}
	})
	return tx.merge(err, "staged_names", mergeNames)
}

// loadDeliveries stores outcomes. Those that do not say what they are of, because
// their lane could not read the record any more, are staged and joined with raw.
func (tx *transaction) loadDeliveries(b *warehouse.Batch) error {
	var named, unnamed []*warehouse.DeliveryRow
	low, high := uint64(math.MaxUint64), uint64(0)
	for i := range b.Deliveries {
		d := &b.Deliveries[i]
		if d.Source != "" {
			named = append(named, d)
			continue
		}
		unnamed = append(unnamed, d)
		low, high = min(low, d.Position.Seq), max(high, d.Position.Seq)
	}
	if err := tx.append("", "deliveries", len(named), deliveryValues(named)); err != nil || len(unnamed) == 0 {
		return err
	}
	if err := tx.append("temp", "staged_deliveries", len(unnamed), deliveryValues(unnamed)); err != nil {
		return err
	}
	if err := tx.exec(nameDeliveries, low, high); err != nil {
		return fmt.Errorf("name deliveries: %w", err)
	}
	return tx.exec("insert into deliveries from staged_deliveries")
}

func deliveryValues(list []*warehouse.DeliveryRow) func(i int) []driver.Value {
	values := make([]driver.Value, 19)
	return func(i int) []driver.Value {
		d := list[i]
		receipt := event.Receipt{Epoch: d.Epoch, Position: d.Position}
		var status, source, name driver.Value
		if d.Status != 0 {
			status = int32(d.Status)
		}
		if d.Source != "" {
			source, name = d.Source, d.Event
		}
		values = append(values[:0], receipt.String(), d.EventID, d.Tracker, d.Outcome.String(), d.Reason, status, d.Error,
			int32(d.Attempts), d.Time.UTC(), d.Latency.Milliseconds(), d.Run, d.Plan, d.Release,
			d.Day.UTC(), d.Epoch, d.Position.Seq, d.Position.Index, source, name)
		return values
	}
}

func (tx *transaction) loadFiltered(b *warehouse.Batch) error {
	if len(b.Filtered) == 0 {
		return nil
	}
	err := tx.append("temp", "staged_filtered", len(b.Filtered), func(i int) []driver.Value {
		h := &b.Filtered[i]
		return []driver.Value{h.Day.UTC(), h.Source, h.Event, h.Tracker, h.Reason, h.Plan, count(h.Count), h.Run}
	})
	return tx.merge(err, "staged_filtered", mergeFiltered)
}

func (tx *transaction) loadLeaks(b *warehouse.Batch) error {
	if len(b.Leaks) == 0 {
		return nil
	}
	err := tx.append("temp", "staged_leaks", len(b.Leaks), func(i int) []driver.Value {
		k := &b.Leaks[i]
		return []driver.Value{k.Day.UTC(), k.Source, k.Event, k.Property, k.Kind, k.Tracker, count(k.Count), k.Run}
	})
	return tx.merge(err, "staged_leaks", mergeLeaks)
}

func (tx *transaction) loadGaps(b *warehouse.Batch) error {
	return tx.append("", "gaps", len(b.Gaps), func(i int) []driver.Value {
		g := &b.Gaps[i]
		return []driver.Value{g.Tracker, g.Epoch, g.Run, g.From.Seq, g.From.Index, g.To.Seq, g.To.Index}
	})
}

// merge moves staged rows, unless staging them failed.
func (tx *transaction) merge(err error, staged, statement string, args ...any) error {
	if err != nil {
		return err
	}
	if err := tx.exec(statement, args...); err != nil {
		return fmt.Errorf("merge %s: %w", staged, err)
	}
	if err := tx.exec("delete from temp." + staged); err != nil {
		return fmt.Errorf("empty %s: %w", staged, err)
	}
	return nil
}

// loadLanes stores the last state of each lane in the batch: of each of its
// lives, if its tracker was removed and put back, and what the last one has parked.
func (tx *transaction) loadLanes(b *warehouse.Batch) error {
	type key struct {
		tracker, epoch string
		run            uint32
	}
	type life struct {
		key
		start event.Position
	}
	lives, last := map[life]*warehouse.LaneRow{}, map[key]*warehouse.LaneRow{}
	for i := range b.Lanes {
		l := &b.Lanes[i]
		k := key{l.Tracker, l.Epoch, l.Run}
		lives[life{k, l.Start}], last[k] = l, l
	}
	for k, l := range lives {
		err := tx.exec("delete from lanes where tracker = $1 and epoch = $2 and run = $3 and startSeq = $4 and startIdx = $5",
			k.tracker, k.epoch, k.run, k.start.Seq, k.start.Index)
		if err != nil {
			return fmt.Errorf("replace lane: %w", err)
		}
		err = tx.exec("insert into lanes values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", l.Tracker, l.Epoch, l.Run,
			l.Start.Seq, l.Start.Index, l.Watermark.Seq, l.Watermark.Index, l.Closed, l.Plan, l.Release, l.Time)
		if err != nil {
			return fmt.Errorf("insert lane: %w", err)
		}
	}
	for _, l := range last {
		if err := tx.loadParked(l); err != nil {
			return err
		}
	}
	return nil
}

func (tx *transaction) loadParked(l *warehouse.LaneRow) error {
	if err := tx.exec("delete from parked where tracker = $1 and epoch = $2 and run = $3", l.Tracker, l.Epoch, l.Run); err != nil {
		return fmt.Errorf("replace parked: %w", err)
	}
	return tx.append("", "parked", len(l.Parked), func(i int) []driver.Value {
		p := l.Parked[i]
		return []driver.Value{l.Tracker, l.Epoch, l.Run, p.Position.Seq, p.Position.Index,
			event.Receipt{Epoch: l.Epoch, Position: p.Position}.String(), p.Due.UTC(), p.Since.UTC(), int32(p.Attempts)}
	})
}

func (tx *transaction) loadPositions(b *warehouse.Batch) error {
	for _, m := range [...]warehouse.StreamPosition{b.Events, b.Outcomes} {
		if m.Epoch == "" {
			continue
		}
		if err := tx.exec("delete from positions where stream = $1 and epoch = $2", string(m.Stream), m.Epoch); err != nil {
			return fmt.Errorf("replace position: %w", err)
		}
		err := tx.exec("insert into positions values ($1, $2, $3, $4, $5)", string(m.Stream), m.Epoch, m.Next.Seq, m.Next.Index, now())
		if err != nil {
			return fmt.Errorf("insert position: %w", err)
		}
	}
	return nil
}

// count is a count as the tables keep it.
func count(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
