package dispatcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of the intake. Label values are bounded: source names come from
// the configuration, everything else is a constant of this package.
type metrics struct {
	requests      *prometheus.CounterVec // source, class
	refused       *prometheus.CounterVec // source, reason
	records       *prometheus.CounterVec // source, kind
	bytes         *prometheus.CounterVec // source
	duration      prometheus.Histogram
	inFlight      prometheus.Gauge
	inFlightBytes prometheus.GaugeFunc
}

func newMetrics(b *budget) *metrics {
	const prefix = "sparrow_dispatcher_"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	return &metrics{
		requests: counter("requests_total", "Intake requests answered, by source and status class.", "source", "class"),
		refused:  counter("refused_requests_total", "Intake requests not accepted, by source and reason.", "source", "reason"),
		records:  counter("records_total", "Records made durable: valid events, invalid events, malformed bodies.", "source", "kind"),
		bytes:    counter("body_bytes_total", "Bytes of request bodies read, as sent.", "source"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "request_duration_seconds", Help: "Time from a request's header to its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "in_flight_requests", Help: "Intake requests under way."}),
		inFlightBytes: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + "in_flight_bytes", Help: "Memory that bodies under way hold."},
			func() float64 { return float64(b.used.Load()) }),
	}
}

// register adds the metrics to r, which may be nil.
func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.requests, m.refused, m.records, m.bytes, m.duration, m.inFlight, m.inFlightBytes} {
		errs = append(errs, r.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// sourceMetrics are one source's, looked up once.
type sourceMetrics struct {
	classes                   [6]prometheus.Counter // by status / 100; 0 is a status out of range
	valid, invalid, malformed prometheus.Counter
	bytes                     prometheus.Counter
}

func (m *metrics) of(name string) sourceMetrics {
	s := sourceMetrics{
		valid:     m.records.WithLabelValues(name, "valid"),
		invalid:   m.records.WithLabelValues(name, "invalid"),
		malformed: m.records.WithLabelValues(name, "malformed"),
		bytes:     m.bytes.WithLabelValues(name),
	}
	for class, label := range []string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		s.classes[class] = m.requests.WithLabelValues(name, label)
	}
	return s
}

// observe counts one request that was answered.
func (m *metrics) observe(s *sourceMetrics, status int, took time.Duration) {
	class := status / 100
	if class < 0 || class >= len(s.classes) {
		class = 0
	}
	s.classes[class].Inc()
	m.duration.Observe(took.Seconds())
}
