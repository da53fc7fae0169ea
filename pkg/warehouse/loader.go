package warehouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Options are what a Loader needs and may be told.
type Options struct {
	Warehouse Warehouse // needed
	Events    Events    // needed
	Outcomes  Outcomes  // needed

	// Loaded, if set, is told what is safely in the warehouse after each batch:
	// every event before the position and every report before the sequence, of
	// the streams' epochs at hand. It is called by one goroutine at a time.
	Loaded func(events event.Position, outcomes uint64)

	// Kept, if set, is the first message that the events stream keeps for this
	// loader: what the lag is counted from until the warehouse answers.
	Kept func() uint64

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Reporter   fault.Reporter // told of what goes wrong
}

// Loader carries the journal's two streams into the warehouse. One loader may
// run for a journal at a time.
type Loader struct {
	config    Config
	warehouse Warehouse
	events    Events
	outcomes  Outcomes
	loaded    func(event.Position, uint64)
	log       *slog.Logger
	reporter  fault.Reporter
	metrics   *metrics
	upkeep    *upkeep
	lag       *lag
}

// NewLoader returns a loader that does nothing until Run.
func NewLoader(config Config, options Options) (*Loader, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	if options.Warehouse == nil || options.Events == nil || options.Outcomes == nil {
		return nil, errors.New("new loader: a warehouse and both streams are needed")
	}
	l := &Loader{
		config: config, warehouse: options.Warehouse, events: options.Events, outcomes: options.Outcomes,
		log: options.Logger, reporter: options.Reporter,
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.lag = &lag{Loader: l, kept: options.Kept}
	if l.lag.kept == nil {
		l.lag.kept = func() uint64 { return firstSeq }
	}
	l.loaded = func(events event.Position, outcomes uint64) {
		l.lag.reached(events)
		if options.Loaded != nil {
			options.Loaded(events, outcomes)
		}
	}
	m, err := newMetrics(options.Registerer)
	if err != nil {
		return nil, fmt.Errorf("new loader: %w", err)
	}
	l.metrics = m
	l.upkeep = newUpkeep(l)
	return l, nil
}

// Plan is what the loader keeps of a tracking plan.
type Plan struct {
	Version string
	Text    string
	Columns []Column
}

// SetPlan has the plan's text kept and the views made anew, as soon as the
// warehouse answers. It does not wait. A later plan replaces one that waits.
func (l *Loader) SetPlan(plan Plan) { l.upkeep.set(plan) }

// Run loads until ctx ends; then it goes on for Config.Drain at most, to load
// what the journal held at that moment, and returns nil. It waits for as long
// as the warehouse or the journal is away. It returns an error only when going
// on would skip records: the journal ends before what is already loaded of the
// same epoch.
func (l *Loader) Run(ctx context.Context) error {
	defer l.lag.watch(ctx)()
	marks, err := l.start(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	// The readers and the last batches outlive ctx by the time to drain.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(l.config.Drain, stop) })()
	group, work := errgroup.WithContext(work)

	arrivals := newArrivals(marks)
	group.Go(func() error { return l.pumpEvents(work, arrivals) })
	group.Go(func() error { return l.pumpOutcomes(work, arrivals) })
	group.Go(func() error { return l.upkeep.run(work) })
	group.Go(func() error {
		defer stop()
		return newCarrier(l, arrivals, marks).run(ctx, work)
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// start waits until the warehouse is ready and says how far it is loaded.
func (l *Loader) start(ctx context.Context) (loadedMarks, error) {
	var marks []StreamPosition
	err := l.persist(ctx, prepareWarehouse, func(ctx context.Context) error {
		if err := l.warehouse.Prepare(ctx); err != nil {
			return err
		}
		var err error
		marks, err = l.warehouse.Positions(ctx)
		return err
	})
	if err != nil {
		return nil, nil // ctx ended
	}
	loaded := newLoadedMarks(marks)
	var end event.Position
	err = l.persist(ctx, "read journal's end", func(ctx context.Context) error {
		var err error
		end, err = l.events.End(ctx)
		return err
	})
	if err != nil {
		return nil, nil
	}
	epoch := l.events.Epoch()
	at := loaded.events(epoch)
	if end.Before(at) {
		err := fmt.Errorf("start loader: the journal of epoch %s ends at %s, the warehouse is loaded to %s: %w", epoch, end, at, ErrOtherJournal)
		l.incident("other journal", err, 1, nil)
		return nil, err
	}
	if loaded.otherThan(epoch) {
		l.incident("new epoch", fmt.Errorf("the journal is of epoch %s and the warehouse is loaded from another one, which is gone: "+
			"what was not loaded or not delivered of it is lost; both stay apart in every table", epoch), 1, nil)
	}
	l.loaded(at, loaded.outcomes(l.outcomes.Epoch()))
	l.metrics.oldest.Store(0) // from here on it is the carrier's
	return loaded, nil
}

// ErrOtherJournal is wrapped by Run's error when the journal ends before what
// the warehouse has loaded of the same epoch: the journal was replaced by an
// older copy, and needs a new epoch.
var ErrOtherJournal = errors.New("another journal under the same epoch")

// persist calls do until it succeeds or ctx ends, backing off between, and
// tells of each failure. It returns ctx's error only.
func (l *Loader) persist(ctx context.Context, what string, do func(context.Context) error) error {
	return l.repeat(ctx, what, nil, func(ctx context.Context, _ func()) error { return do(ctx) })
}

// repeat is persist for work that goes on for long: do calls healthy when it
// got somewhere, and the back-off begins anew. receipts, if any, are told with
// a failure.
func (l *Loader) repeat(ctx context.Context, what string, receipts []string, do func(ctx context.Context, healthy func()) error) error {
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
		l.metrics.failures.Inc()
		l.incident(class(what, err), fmt.Errorf("%s: %w", what, err), attempt, receipts)
		if err := pause(ctx, attempt, err); err != nil {
			return err
		}
	}
}

// What the loader has the warehouse do.
const (
	prepareWarehouse = "prepare warehouse"
	loadBatch        = "load batch"
	applyPlan        = "apply plan"
	expireRows       = "expire rows"
)

// class groups incidents. What fails because the warehouse fails for a while is
// of one group, whatever met it first.
func class(what string, err error) string {
	switch what {
	case prepareWarehouse, loadBatch, applyPlan, expireRows:
		if !fault.IsPermanent(err) {
			return "warehouse away"
		}
	}
	return what
}

func (l *Loader) incident(class string, err error, attempt int, receipts []string) {
	l.log.Error("warehouse loader failed", "class", class, "attempt", attempt, "err", err)
	if l.reporter != nil {
		l.reporter.Report(fault.Incident{
			Component: "loader", Class: class, Err: err, Time: time.Now(), Attempt: attempt, Receipts: receipts,
		})
	}
}
