package bigquery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// nameDeliveries gives deliveries the source, event and day of their raw row
// where their checkpoint does not say them: the lane could not read the record any
// more, or an earlier release wrote the checkpoint. The raw row is in the whole
// batch, of which b is the rest to be loaded, or stored. Deliveries of a duplicate,
// or without a raw row, stay as they are and are not counted.
func (w *writer) nameDeliveries(ctx context.Context, batch, b *warehouse.Batch) error {
	if !slices.ContainsFunc(b.Deliveries, func(d warehouse.DeliveryRow) bool { return d.Source == "" }) {
		return nil
	}
	b.Deliveries = slices.Clone(b.Deliveries) // they are the caller's
	here := map[event.Receipt]*warehouse.RawRow{}
	for i := range batch.Raw {
		here[batch.Raw[i].Receipt] = &batch.Raw[i]
	}
	elsewhere := map[string][]*warehouse.DeliveryRow{} // by epoch
	for i := range b.Deliveries {
		d := &b.Deliveries[i]
		if d.Source != "" {
			continue
		}
		r := here[event.Receipt{Epoch: d.Epoch, Position: d.Position}]
		switch {
		case r == nil:
			elsewhere[d.Epoch] = append(elsewhere[d.Epoch], d)
		case !r.Duplicate:
			d.Source, d.Event, d.Day = r.Source, r.Event, warehouse.Day(r.Timestamp)
		}
	}
	for epoch, list := range elsewhere {
		if err := w.nameStored(ctx, epoch, list); err != nil {
			return fmt.Errorf("name deliveries: %w", judged(err))
		}
	}
	return nil
}

// nameStored names deliveries of an epoch by the rows that are stored.
func (w *writer) nameStored(ctx context.Context, epoch string, list []*warehouse.DeliveryRow) error {
	low, high := list[0].Position.Seq, list[0].Position.Seq
	at := map[event.Position][]*warehouse.DeliveryRow{}
	for _, d := range list {
		low, high = min(low, d.Position.Seq), max(high, d.Position.Seq)
		at[d.Position] = append(at[d.Position], d)
	}
	rows, err := w.commits.read(ctx, `select seq, idx, source, event, timestamp from `+w.commits.named(rawTable)+`
		where epoch = @epoch and seq >= @low and seq <= @high and not duplicate and timestamp >= @since`,
		map[string]any{"epoch": epoch, "low": int64(low), "high": int64(high), "since": time.Now().UTC().Add(-lookBack)})
	if err != nil {
		return err
	}
	for _, row := range rows {
		for _, d := range at[event.Position{Seq: uint64(as[int64](row[0])), Index: uint32(as[int64](row[1]))}] {
			d.Source, d.Event, d.Day = as[string](row[2]), as[string](row[3]), warehouse.Day(as[time.Time](row[4]))
		}
	}
	return nil
}
