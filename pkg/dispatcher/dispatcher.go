package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Journal makes records durable. Both methods are safe for concurrent use and bound
// their own waiting.
type Journal interface {
	// Append stores the records in one message and returns once they are
	// durable. It never changes the records, and does not read them after it
	// returned nil. After an error it may still read them (a log that gave up
	// waiting): the dispatcher does not use their memory again.
	// An error that carries fault.RetryAfter says when to try again; one marked
	// fault.Permanent says that the request is too large to be stored.
	Append(ctx context.Context, records [][]byte) (event.Position, error)
	// Ready returns nil when Append can be expected to work.
	Ready(ctx context.Context) error
}

// Options are a dispatcher's dependencies. Each may be nil.
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Reporter receives failed appends and panics; without it they are logged.
	Reporter fault.Reporter
}

// Dispatcher is the HTTP intake. It owns no goroutine: it is passive, and its
// handlers are safe for concurrent use.
type Dispatcher struct {
	limits   Limits
	log      Journal
	logger   *slog.Logger
	reporter fault.Reporter
	metrics  *metrics

	keys      map[string]*source // Go's maps hash with a random seed: the time of a lookup says nothing about other keys
	sources   []*source
	anonymous *source // of requests without a known key
	clientIP  clientIP

	pool     pool
	budget   budget
	draining atomic.Bool
	unready  atomic.Bool // what /readyz last said
}

// New makes a dispatcher that appends to log. It fails when the configuration
// does not pass its Check, or when the metrics are registered already.
func New(c Config, log Journal, o Options) (*Dispatcher, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("dispatcher: %w", err)
	}
	if log == nil {
		return nil, errors.New("dispatcher: no log to append to")
	}
	d := &Dispatcher{limits: c.Limits, log: log, logger: o.Logger, reporter: o.Reporter, keys: map[string]*source{}}
	if d.logger == nil {
		d.logger = slog.New(slog.DiscardHandler)
	}
	d.budget.limit = int64(c.Limits.InFlight)
	d.metrics = newMetrics(&d.budget)
	d.anonymous = &source{name: noSource, metrics: d.metrics.of(noSource)}
	d.clientIP = newClientIP(c.ClientIP)
	for _, configured := range c.Sources {
		s := newSource(configured, c.Limits.Events, d.metrics)
		d.sources = append(d.sources, s)
		for _, key := range configured.Keys {
			d.keys[key] = s
		}
	}
	if err := d.metrics.register(o.Registerer); err != nil {
		return nil, fmt.Errorf("dispatcher: %w", err)
	}
	return d, nil
}

// Mount adds the intake to r: /v1/events, the same handler at browserPath+"/e"
// (such as "/s/e": block lists know /v1/events), Segment's API below /v1 with the
// settings that its and RudderStack's browser SDKs ask for, /healthz and /readyz.
// Every method is handled; what a path does not offer is answered 405 with Allow.
func (d *Dispatcher) Mount(r chi.Router, browserPath string) {
	own := d.intake(&sparrow)
	r.HandleFunc("/v1/events", own)
	r.HandleFunc(browserPath+"/e", own)
	for path, kind := range segmentPaths {
		r.HandleFunc("/v1/"+path, d.intake(segmentDialect(kind)))
	}
	r.HandleFunc("/beacon/v1/batch", d.intake(segmentDialect("")))
	r.HandleFunc("/v1/projects/{key}/settings", d.serveSegmentSettings)
	r.HandleFunc("/sourceConfig", d.serveRudderStackConfig)
	r.HandleFunc("/sourceConfig/", d.serveRudderStackConfig)
	r.HandleFunc("/healthz", d.serveHealth)
	r.HandleFunc("/readyz", d.serveReady)
}

// Drain makes the dispatcher answer every new request with 503 and Retry-After,
// and /readyz with 503, so that load balancers and clients go elsewhere. Requests
// under way are finished; the http.Server's Shutdown waits for them.
func (d *Dispatcher) Drain() { d.draining.Store(true) }

// report reports a failure on our side to the reporter, or logs it when there is
// none.
func (d *Dispatcher) report(class string, err error) {
	if d.reporter == nil {
		d.logger.Error("intake fault", "class", class, "err", err)
		return
	}
	d.reporter.Report(fault.Incident{Component: "dispatcher", Class: class, Err: err, Time: time.Now()})
}
