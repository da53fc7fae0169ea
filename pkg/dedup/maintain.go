package dedup

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// maintain flushes what was applied, enforces the byte budget and sets the metrics.
func (i *Index) maintain(ctx context.Context, w *writer) error {
	if err := i.flush(); err != nil {
		return err
	}
	size := i.size()
	for size > uint64(i.config.MaxBytes) && w.next.entries() > 0 {
		oldest := w.next.generations[0]
		if err := i.evict(ctx, w, oldest); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		smaller := i.size()
		if smaller >= size && oldest.entries > 0 {
			break // the store deletes later; look again after the next flush
		}
		size = smaller
	}
	i.metrics.bytes.Set(float64(size))
	i.metrics.entries.Set(float64(w.next.entries()))
	i.metrics.window.Set(i.effective(&w.next).Seconds())
	return nil
}

// evict drops the oldest generation for the byte budget and frees its space.
func (i *Index) evict(ctx context.Context, w *writer, oldest generation) error {
	wide := i.effective(&w.next) == i.config.Window
	w.batch.Reset()
	w.forget()
	if err := w.commit(); err != nil {
		return err
	}
	if now := i.effective(&w.next); wide && now < i.config.Window {
		i.report("window shortened", fmt.Errorf("the byte budget %s is too small for a window of %s: repeats are recognised for %s; raise maxBytes",
			i.config.MaxBytes, i.config.Window, now.Round(time.Second)))
	}
	from, to := generationBounds(oldest.id)
	if err := i.flush(); err != nil {
		return err
	}
	if err := i.store.db.Compact(ctx, from, to, false); err != nil && ctx.Err() == nil {
		return fmt.Errorf("free space of the duplicate index: %w", err)
	}
	return nil
}

// flush makes what was applied survive a crash.
func (i *Index) flush() error {
	applied := i.Applied()
	if err := i.store.flush(); err != nil {
		return fmt.Errorf("flush duplicate index: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.durable = applied
	return nil
}

// size is the bytes of the live part of the index on disk, without what waits to be
// deleted.
func (i *Index) size() uint64 {
	m := i.store.db.Metrics()
	return m.Table.Local.LiveSize + m.BlobFiles.Local.LiveSize
}

// effective is how far back repeats are recognised.
func (i *Index) effective(s *state) time.Duration {
	clock := s.clock()
	if s.forgotten == 0 || clock == math.MinInt64 {
		return i.config.Window
	}
	back := time.Duration(max(0, clock-s.forgotten)) * time.Microsecond
	return min(back, i.config.Window)
}

// count adds a message to the metrics.
func (i *Index) count(records []event.Record, duplicates map[string]int) {
	i.metrics.applied.Add(float64(len(records)))
	i.metrics.lag.Set(max(0, time.Since(records[len(records)-1].ReceivedAt).Seconds()))
	for source, n := range duplicates {
		i.metrics.duplicate(source, n)
	}
}
