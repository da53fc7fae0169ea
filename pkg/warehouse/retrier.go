package warehouse

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

// backoff is how long the loader waits before it tries again.
var backoff = retry.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}

// What the loader has the warehouse do.
const (
	prepareWarehouse = "prepare warehouse"
	loadBatch        = "load batch"
	applyPlan        = "apply plan"
	expireRows       = "expire rows"
	compactLogs      = "compact logs"
	fillTables       = "backfill"
)

// retrier repeats what fails, and logs and reports each failure.
type retrier struct {
	log      *slog.Logger
	reporter fault.Reporter // nil: failures are only logged
	metrics  *metrics

	mu     sync.Mutex
	logged map[string]time.Time // when a class was logged last
}

// logEvery is how often a failure that repeats is logged.
const logEvery = 10 * time.Minute

// persist calls do until it succeeds or ctx ends, with a back-off between
// attempts. It returns ctx's error only.
func (r *retrier) persist(ctx context.Context, what string, do func(context.Context) error) error {
	return r.repeat(ctx, what, nil, func(ctx context.Context, _ func()) error { return do(ctx) })
}

// repeat is persist for work that goes on for long: do calls healthy when it
// made progress, and the back-off begins anew. The incident of a failure names
// the receipts.
func (r *retrier) repeat(ctx context.Context, what string, receipts []string, do func(ctx context.Context, healthy func()) error) error {
	attempt := 0
	healthy := func() { attempt = 0 }
	for {
		err := do(ctx, healthy)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		attempt++
		r.metrics.failures.Inc()
		r.report(class(what, err), fmt.Errorf("%s: %w", what, err), attempt, receipts)
		if err := retry.Sleep(ctx, backoff.Delay(attempt, err)); err != nil {
			return err
		}
	}
}

// class groups incidents. While the warehouse is away, everything that meets it
// is of one class.
func class(what string, err error) string {
	switch what {
	case prepareWarehouse, loadBatch, applyPlan, expireRows, compactLogs, fillTables:
		if !fault.IsPermanent(err) {
			return "warehouse away"
		}
	}
	return what
}

// report logs and reports a failure. Further attempts are logged now and then, with
// their number.
func (r *retrier) report(class string, err error, attempt int, receipts []string) {
	if advice := fault.StorageAdvice(err); advice != "" {
		err = fmt.Errorf("%w: %s", err, advice)
	}
	if r.due(class, attempt) {
		r.log.Error("warehouse loader failed", "class", class, "attempt", attempt, "err", err)
	}
	if r.reporter != nil {
		r.reporter.Report(fault.Incident{
			Component: "loader", Class: class, Err: err, Time: time.Now(), Attempt: attempt, Receipts: receipts,
		})
	}
}

func (r *retrier) due(class string, attempt int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if attempt > 1 && time.Since(r.logged[class]) < logEvery {
		return false
	}
	if r.logged == nil {
		r.logged = map[string]time.Time{}
	}
	r.logged[class] = time.Now()
	return true
}
