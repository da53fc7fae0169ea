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
	// Open returns the warehouse; needed. Run calls it until it succeeds, with a
	// pause between attempts, and again whenever Run is called again. It may
	// return the same warehouse each time. The loader does not close it.
	Open     func(context.Context) (Warehouse, error)
	Events   Events   // needed
	Outcomes Outcomes // needed

	// Loaded, if set, is called after each batch with what is safely in the
	// warehouse: every event before the position and every checkpoint before the
	// sequence, of the present epochs. It is called by one goroutine at a time.
	Loaded func(events event.Position, outcomes uint64)

	// Pinned, if set, is the first message that the events stream keeps for this
	// loader: the lag is counted from it until the warehouse answers.
	Pinned func() uint64

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Reporter   fault.Reporter // takes what goes wrong
}

// Loader loads the journal's two streams into the warehouse. One loader may run
// for a journal at a time.
type Loader struct {
	config      Config
	open        func(context.Context) (Warehouse, error)
	warehouse   Warehouse // set by start
	events      Events
	outcomes    Outcomes
	loaded      func(event.Position, uint64)
	metrics     *metrics
	retrier     *retrier
	untyped     *untyped
	maintenance *maintenance
	lag         *lag
}

// NewLoader returns a loader that does nothing until Run.
func NewLoader(config Config, options Options) (*Loader, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	if options.Open == nil || options.Events == nil || options.Outcomes == nil {
		return nil, errors.New("new loader: a warehouse and both streams are needed")
	}
	log := options.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(options.Registerer)
	if err != nil {
		return nil, fmt.Errorf("new loader: %w", err)
	}
	r := &retrier{log: log, reporter: options.Reporter, metrics: m}
	u := &untyped{retrier: r}
	l := &Loader{
		config: config, open: options.Open, events: options.Events, outcomes: options.Outcomes, metrics: m, retrier: r, untyped: u,
		maintenance: newMaintenance(config.Retention, r, u),
		lag:         &lag{events: options.Events, pinned: options.Pinned, metrics: m},
	}
	l.loaded = func(events event.Position, outcomes uint64) {
		l.lag.loaded(events)
		if options.Loaded != nil {
			options.Loaded(events, outcomes)
		}
	}
	return l, nil
}

// Plan is what the loader stores of a tracking plan.
type Plan struct {
	Version string
	Text    string
	Columns []Column
}

// SetPlan stores the plan's text and makes the views anew, as soon as the
// warehouse answers. It does not wait. A later plan replaces one that waits.
func (l *Loader) SetPlan(plan Plan) { l.maintenance.setPlan(plan) }

// Run loads until ctx ends; then it goes on for Config.Drain at most, to load
// what the journal held at that moment, and returns nil. It waits for as long
// as the warehouse or the journal is away. It returns an error only when going
// on would skip records: the journal ends before what is already loaded of the
// same epoch.
func (l *Loader) Run(ctx context.Context) error {
	defer l.lag.watch(ctx)()
	loaded, err := l.start(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	// The readers and the last batches outlive ctx by the time to drain.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(l.config.Drain, stop) })()
	group, work := errgroup.WithContext(work)

	pump := newPump(l.events, l.outcomes, loaded, l.retrier)
	group.Go(func() error { return pump.runEvents(work) })
	group.Go(func() error { return pump.runOutcomes(work) })
	group.Go(func() error { return l.maintenance.run(work, l.warehouse) })
	group.Go(func() error {
		defer stop()
		return newBatcher(l, pump, loaded).run(ctx, work)
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// start waits until the warehouse is open and ready and says how far it is loaded.
func (l *Loader) start(ctx context.Context) (streamPositions, error) {
	var list []StreamPosition
	err := l.retrier.persist(ctx, prepareWarehouse, func(ctx context.Context) error {
		var err error
		if l.warehouse, err = l.open(ctx); err != nil {
			return err
		}
		if err := l.warehouse.Prepare(ctx); err != nil {
			return err
		}
		list, err = l.warehouse.Positions(ctx)
		return err
	})
	if err != nil {
		return nil, nil // ctx ended
	}
	var end event.Position
	err = l.retrier.persist(ctx, "read journal's end", func(ctx context.Context) error {
		var err error
		end, err = l.events.End(ctx)
		return err
	})
	if err != nil {
		return nil, nil
	}
	loaded, epoch := newStreamPositions(list), l.events.Epoch()
	at := loaded.events(epoch)
	if end.Before(at) {
		err := fmt.Errorf("start loader: the journal of epoch %s ends at %s, the warehouse is loaded to %s: %w", epoch, end, at, ErrOtherJournal)
		l.retrier.report("other journal", err, 1, nil)
		return nil, err
	}
	if loaded.onlyOtherThan(epoch) {
		l.retrier.report("new epoch", fmt.Errorf("the journal is of epoch %s and the warehouse is loaded from another one, which is gone: "+
			"what was not loaded or not delivered of it is lost; both stay apart in every table", epoch), 1, nil)
	}
	l.loaded(at, loaded.outcomes(l.outcomes.Epoch()))
	l.metrics.oldest.Store(0) // from here on the batcher sets it
	return loaded, nil
}

// ErrOtherJournal is wrapped by Run's error when the journal ends before what
// the warehouse has loaded of the same epoch: an older copy replaced the
// journal, and it needs a new epoch.
var ErrOtherJournal = errors.New("another journal under the same epoch")
