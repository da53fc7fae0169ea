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
	// queueLength bounds the payloads that wait for the worker, and with maxBody
	// their memory: 8 MiB.
	queueLength = 512
	// flushWithin is how long Run continues to send after its context has ended.
	flushWithin = 5 * time.Second
)

// Options are what a Reporter is given besides its configuration. The zero
// Options work.
type Options struct {
	// Release is Sparrow's version, shown with each event.
	Release string
	// Logger gets the incidents if there is no DSN or Sentry does not accept them.
	// nil discards them.
	Logger *slog.Logger
	// Registerer registers the metrics; nil leaves them unregistered.
	Registerer prometheus.Registerer
	// Secrets are replaced by "[secret]" wherever they appear. Those shorter than 6
	// bytes are ignored.
	Secrets []string
	// Transport performs the requests to Sentry; nil uses one of its own.
	Transport http.RoundTripper
}

// sink delivers payloads, one after the other. result is a label of the records
// metric.
type sink interface {
	deliver(ctx context.Context, p *scrubbed) (result string)
	close()
}

// Reporter is the fault.Reporter for Sentry or the log. Make one with New and Run
// it.
type Reporter struct {
	groups  groups
	queue   chan *payload
	scrub   atomic.Pointer[scrubber]
	secrets []string // those that scrub replaces
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
		queue:   make(chan *payload, queueLength),
		sink:    out,
		metrics: m,
	}
	r.Guard(append(config.secrets(), options.Secrets...))
	return r, nil
}

// Guard adds secrets, after a reload of the configuration. Earlier ones are still
// replaced: incidents of requests that carried them may still be reported. Calls
// must not overlap.
func (r *Reporter) Guard(secrets []string) {
	for _, secret := range secrets {
		if !slices.Contains(r.secrets, secret) {
			r.secrets = append(r.secrets, secret)
		}
	}
	r.scrub.Store(newScrubber(r.secrets))
}

// Report reports an incident. It never blocks and may be called before Run, during
// it and after it. Incidents before Run wait in the queue; those after it are only
// counted.
func (r *Reporter) Report(i fault.Incident) {
	if i.Time.IsZero() {
		i.Time = time.Now()
	}
	group, full := r.groups.sample(i)
	r.metrics.observe(group.component, group.class)
	if !full {
		return
	}
	p := newPayload(i, group, r.scrub.Load().bodyBytes())
	p.stack = callers()
	if !r.push(p) {
		r.groups.suppress(group)
		r.metrics.dropped.Inc()
	}
}

func (r *Reporter) push(p *payload) bool {
	select {
	case r.queue <- p:
		return true
	default:
		return false
	}
}

// Run delivers what is reported until ctx ends, then the rest of the queue and the
// last summaries, for at most five seconds. What Sentry has not accepted by then
// goes to the log. It returns nil. Run it once.
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
	// The queue is empty now, so every group's summary fits.
	r.groups.roll(r.push)
	r.drain(sending)
	r.sink.close()
	return nil
}

// work delivers payloads until stop, and then those that are still queued.
func (r *Reporter) work(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case p := <-r.queue:
			r.deliver(ctx, p)
		case <-stop:
			r.drain(ctx)
			return
		}
	}
}

// drain delivers what is queued now, not what is added meanwhile.
func (r *Reporter) drain(ctx context.Context) {
	for range len(r.queue) {
		r.deliver(ctx, <-r.queue)
	}
}

func (r *Reporter) deliver(ctx context.Context, p *payload) {
	r.metrics.records.WithLabelValues(r.sink.deliver(ctx, r.scrub.Load().scrub(*p))).Inc()
}
