package warehouse

import (
	"context"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// tidyEvery is how often old rows are looked for.
const tidyEvery = time.Hour

// backfillPause is the shortest time between two pieces of a backfill.
const backfillPause = 100 * time.Millisecond

// maintenance does what is rare: it applies plans, backfills, and deletes old
// rows. It runs beside the batcher, so that neither waits for the other.
type maintenance struct {
	retention time.Duration // 0: rows are kept for good
	retrier   *retrier
	untyped   *untyped
	backfill  *time.Timer // the next piece; stopped when nothing is left
	left      int64       // of the backfill, as it was logged last

	mu   sync.Mutex
	plan *Plan
	wake chan struct{} // has one signal: plan is another
}

func newMaintenance(retention time.Duration, r *retrier, u *untyped) *maintenance {
	return &maintenance{retention: retention, retrier: r, untyped: u, wake: make(chan struct{}, 1), backfill: time.NewTimer(0)}
}

func (m *maintenance) setPlan(plan Plan) {
	m.mu.Lock()
	m.plan = &plan
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends and returns its error.
func (m *maintenance) run(ctx context.Context, w Warehouse) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	defer m.backfill.Stop()
	m.tidy(ctx, w)
	for {
		select {
		case <-m.wake:
			m.applyPlan(ctx, w)
			m.backfill.Reset(0)
		case <-m.backfill.C:
			m.fill(ctx, w)
		case <-tick.C:
			m.tidy(ctx, w)
			m.backfill.Reset(0) // a day may have been left to it meanwhile
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// applyPlan applies the newest plan. A newer one replaces it between attempts.
func (m *maintenance) applyPlan(ctx context.Context, w Warehouse) {
	_ = m.retrier.persist(ctx, applyPlan, func(ctx context.Context) error { // the error is ctx's: run sees it
		m.mu.Lock()
		plan := m.plan
		m.mu.Unlock()
		if plan == nil {
			return nil
		}
		if err := w.SavePlan(ctx, plan.Version, plan.Text); err != nil {
			return err
		}
		err := w.ApplyViews(ctx, plan.Columns, false)
		if fault.IsPermanent(err) {
			m.retrier.report(applyPlan, err, 1, nil)
			return nil // the views stay as they are until the plan is corrected
		}
		if err != nil {
			return err
		}
		m.retrier.log.Info("views applied", "plan", plan.Version, "columns", len(plan.Columns))
		return nil
	})
}

// fill makes one piece of what the warehouse still has to make of its rows. The
// next one waits for as long as this one took: loading has the other half.
func (m *maintenance) fill(ctx context.Context, w Warehouse) {
	filler, ok := w.(Backfiller)
	if !ok {
		return
	}
	begun := time.Now()
	progress, err := filler.Backfill(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.retrier.metrics.failures.Inc()
			m.retrier.report(class(fillTables, err), err, 1, nil)
			m.backfill.Reset(backoff.Max)
		}
		return
	}
	m.untyped.add(progress.Untyped)
	left := progress.Left
	if left > 0 {
		m.backfill.Reset(max(backfillPause, time.Since(begun)))
	}
	if m.left == 0 && left > 0 || left < m.left/2 {
		m.retrier.log.Info("backfilling sums and typed events beside loading; questions are answered meanwhile", "left", left)
		m.left = left
	}
}

// tidy compacts the warehouse's logs and deletes rows beyond the retention.
func (m *maintenance) tidy(ctx context.Context, w Warehouse) {
	if c, ok := w.(Compacter); ok {
		if err := c.Compact(ctx); err != nil && ctx.Err() == nil {
			m.retrier.metrics.failures.Inc()
			m.retrier.report(class(compactLogs, err), err, 1, nil)
		}
	}
	m.expire(ctx, w)
}

// expire deletes rows beyond the retention. A failure waits for the next hour.
func (m *maintenance) expire(ctx context.Context, w Warehouse) {
	if m.retention == 0 {
		return
	}
	if err := w.Expire(ctx, Day(time.Now().Add(-m.retention))); err != nil && ctx.Err() == nil {
		m.retrier.metrics.failures.Inc()
		m.retrier.report(class(expireRows, err), err, 1, nil)
	}
}
