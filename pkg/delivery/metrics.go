package delivery

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// laneMetrics are one lane's series. All lanes of a registerer share the
// metrics; the label tells them apart.
type laneMetrics struct {
	outcomes      *prometheus.CounterVec // by outcome
	requests      *prometheus.CounterVec // by class
	before        *prometheus.CounterVec // by result
	latency       prometheus.Observer
	lag           prometheus.Gauge
	backlog       prometheus.Gauge
	parked        prometheus.Gauge
	breaker       prometheus.Gauge
	traffic       prometheus.Gauge
	paced         prometheus.Counter
	isolated      prometheus.Counter
	publishErrors prometheus.Counter

	gauges []*prometheus.GaugeVec
	name   string
}

func newMetrics(reg prometheus.Registerer, name string) *laneMetrics {
	labels := prometheus.Labels{"tracker": name}
	opts := func(metric, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "sparrow", Subsystem: "delivery", Name: metric, Help: help}
	}
	counter := func(metric, help string, more ...string) *prometheus.CounterVec {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts(opts(metric, help)), append([]string{"tracker"}, more...))
		return shared(reg, vec).MustCurryWith(labels)
	}
	m := &laneMetrics{name: name}
	gauge := func(metric, help string) prometheus.Gauge {
		vec := shared(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts(opts(metric, help)), []string{"tracker"}))
		m.gauges = append(m.gauges, vec)
		return vec.With(labels)
	}
	m.latency = shared(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "sparrow", Subsystem: "delivery", Name: "request_seconds",
		Help:    "Time of one request to a vendor, from dialling to the end of the response.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"tracker"})).With(labels)
	m.outcomes = counter("outcomes_total", "Events by outcome, counted when the outcome is durable.", "outcome")
	m.requests = counter("requests_total", "Requests to a vendor by class: 2xx, 3xx, 4xx, 5xx, other, or none for no response.", "class")
	m.before = counter("before_total", "Events by what came of the request before their own, such as the vendor's check of them: passed, refused, or waiting.", "result")
	m.lag = gauge("lag_seconds", "Age of the oldest record that the lane has still to read.")
	m.backlog = gauge("backlog_messages", "Messages of the journal, each of one or more records, between the lane and the journal's end.")
	m.parked = gauge("parked_entries", "Events that wait for a retry of their own.")
	m.breaker = gauge("breaker_state", "0 closed, 1 half-open, 2 open: the vendor accepts nothing.")
	m.traffic = gauge("traffic_ratio", "Events to be sent that were received in the last whole minute, as a share of what the rate limit lets through; above 1 the backlog grows.")
	m.paced = counter("paced_total", "Times an event had to wait because its user sends more than the vendor accepts.").WithLabelValues()
	m.isolated = counter("isolated_total", "Events on which the vendor fails while it accepts others.").WithLabelValues()
	m.publishErrors = counter("publish_errors_total", "Failed attempts to publish outcomes.").WithLabelValues()
	return m
}

// retire deletes the gauges: the lane now runs in another process or not at all,
// and an old backlog would be a false alarm.
func (m *laneMetrics) retire() {
	for _, vec := range m.gauges {
		vec.DeleteLabelValues(m.name)
	}
}

// shared registers a metric or uses the one that another lane registered. A
// registerer that refuses leaves the metric uncollected.
func shared[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	if registered, ok := errors.AsType[prometheus.AlreadyRegisteredError](reg.Register(c)); ok {
		if existing, ok := registered.ExistingCollector.(C); ok {
			return existing
		}
	}
	return c
}

// request counts one round trip.
func (m *laneMetrics) request(status int, latency time.Duration) {
	class := "none"
	switch {
	case status >= 600 || status > 0 && status < 200:
		class = "other"
	case status > 0:
		class = string(rune('0'+status/100)) + "xx"
	}
	m.requests.WithLabelValues(class).Inc()
	m.latency.Observe(latency.Seconds())
}
