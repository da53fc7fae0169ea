package report

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const (
	// queueLength bounds the records that wait for the worker, and with maxBody
	// their memory: 8 MiB.
	queueLength = 512
	// flushWithin is how long Run goes on sending after its context ended.
	flushWithin = 5 * time.Second
)

// Options are what a Reporter is given besides its configuration. The zero
// Options work.
type Options struct {
	// Release is Sparrow's version, shown with each event.
	Release string
	// Logger takes the reports when there is no DSN or Sentry does not take
	// them; nil discards them.
	Logger *slog.Logger
	// Registerer takes the metrics; nil leaves them unregistered.
	Registerer prometheus.Registerer
	// Secrets are exact strings that are replaced by "[secret]" wherever they
	// stand in a report. Those shorter than 6 bytes are ignored.
	Secrets []string
	// Transport performs the requests to Sentry; nil uses one of its own.
	Transport http.RoundTripper
}

// sink takes cleaned reports, one after the other. result is a label of the
// records metric.
type sink interface {
	deliver(ctx context.Context, r report) (result string)
	close()
}

// Reporter is the fault.Reporter that tells people. Make one with New and Run it.
type Reporter struct {
	groups  groups
	queue   chan *record
	scrub   atomic.Pointer[scrubber]
	secrets []string // all that scrub replaces
	sink    sink
	metrics *metrics
}

// New makes a Reporter. It opens no connection and starts nothing. The error
// says what is wrong with the configuration, or with registering the metrics.
func New(config Config, options Options) (*Reporter, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	m, err := newMetrics(options.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register report metrics: %w", err)
	}
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	var out sink = logSink{logger}
	if config.DSN != "" {
		out = newSentrySink(config, options, logger)
	}
	r := &Reporter{
		groups:  groups{byKey: make(map[key]*group)},
		queue:   make(chan *record, queueLength),
		sink:    out,
		metrics: m,
	}
	r.Guard(append(config.secrets(), options.Secrets...))
	return r, nil
}

// Guard adds secrets to those that are replaced wherever they stand in a report:
// a reload brought them. Earlier ones stay, since requests that carried them may
// still be told of. Calls must not overlap.
func (r *Reporter) Guard(secrets []string) {
	for _, secret := range secrets {
		if !slices.Contains(r.secrets, secret) {
			r.secrets = append(r.secrets, secret)
		}
	}
	r.scrub.Store(newScrubber(r.secrets))
}

// Report takes an incident. It never blocks and may be called from
// anywhere, before and after Run too: what is observed before Run waits in the
// queue, what is observed after it is only counted.
func (r *Reporter) Report(i fault.Incident) {
	if i.Time.IsZero() {
		i.Time = time.Now()
	}
	group, full := r.groups.admit(i)
	r.metrics.observe(group.component, group.class)
	if !full {
		return
	}
	rec := newRecord(i, keyOf(i), group.fingerprint(), r.scrub.Load().room())
	rec.stack = callers(0)
	if !r.push(rec) {
		r.groups.withhold(group)
		r.metrics.dropped.Inc()
	}
}

func (r *Reporter) push(rec *record) bool {
	select {
	case r.queue <- rec:
		return true
	default:
		return false
	}
}

// Run delivers what is observed until ctx ends, then the rest of the queue and
// the last summaries, for at most five seconds; what Sentry has not taken by
// then goes to the log. It returns nil. Run it once.
func (r *Reporter) Run(ctx context.Context) error {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := make(chan struct{})
	var worker sync.WaitGroup
	worker.Go(func() { r.work(sending, stop) })

	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for running := true; running; {
		select {
		case <-minute.C:
			r.groups.roll(r.push)
		case <-ctx.Done():
			running = false
		}
	}
	deadline := time.AfterFunc(flushWithin, cancel)
	defer deadline.Stop()
	close(stop)
	worker.Wait()
	// The queue is empty now: there is room for a summary of every group.
	r.groups.roll(r.push)
	r.drain(sending)
	r.sink.close()
	return nil
}

// work delivers records until stop, and then those that are still queued.
func (r *Reporter) work(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case rec := <-r.queue:
			r.deliver(ctx, rec)
		case <-stop:
			r.drain(ctx)
			return
		}
	}
}

// drain delivers what is queued now, however much is added meanwhile.
func (r *Reporter) drain(ctx context.Context) {
	for range len(r.queue) {
		r.deliver(ctx, <-r.queue)
	}
}

func (r *Reporter) deliver(ctx context.Context, rec *record) {
	r.metrics.records.WithLabelValues(r.sink.deliver(ctx, r.scrub.Load().clean(rec))).Inc()
}
