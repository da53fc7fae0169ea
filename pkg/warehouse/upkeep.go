package warehouse

import (
	"context"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// expireEvery is how often old rows are looked for.
const expireEvery = time.Hour

// upkeep does what is seldom: it applies plans and deletes what is too old. It
// runs beside the carrier, so that neither waits for the other.
type upkeep struct {
	*Loader
	mu   sync.Mutex
	plan *Plan
	wake chan struct{}
}

func newUpkeep(l *Loader) *upkeep { return &upkeep{Loader: l, wake: make(chan struct{}, 1)} }

func (u *upkeep) set(plan Plan) {
	u.mu.Lock()
	u.plan = &plan
	u.mu.Unlock()
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends and returns its error.
func (u *upkeep) run(ctx context.Context) error {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	u.expire(ctx)
	for {
		select {
		case <-u.wake:
			u.apply(ctx)
		case <-tick.C:
			u.expire(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// apply applies the newest plan; one that is newer still replaces it between
// attempts.
func (u *upkeep) apply(ctx context.Context) {
	_ = u.persist(ctx, applyPlan, func(ctx context.Context) error {
		u.mu.Lock()
		plan := u.plan
		u.mu.Unlock()
		if plan == nil {
			return nil
		}
		if err := u.warehouse.SavePlan(ctx, plan.Version, plan.Text); err != nil {
			return err
		}
		err := u.warehouse.ApplyViews(ctx, plan.Columns, false)
		if fault.IsPermanent(err) {
			u.incident(applyPlan, err, 1, nil)
			return nil // the views stay as they are; a corrected plan will come
		}
		if err != nil {
			return err
		}
		u.log.Info("views applied", "plan", plan.Version, "columns", len(plan.Columns))
		return nil
	})
}

// expire deletes rows beyond the retention. A failure waits for the next hour.
func (u *upkeep) expire(ctx context.Context) {
	if u.config.Retention == 0 {
		return
	}
	if err := u.warehouse.Expire(ctx, Day(time.Now().Add(-u.config.Retention))); err != nil && ctx.Err() == nil {
		u.metrics.failures.Inc()
		u.incident(class(expireRows, err), err, 1, nil)
	}
}
