package dedup

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	maxSources = 128
	other      = "(other)"
)

type metrics struct {
	applied    prometheus.Counter
	duplicates *prometheus.CounterVec
	entries    prometheus.Gauge
	bytes      prometheus.Gauge
	window     prometheus.Gauge
	lag        prometheus.Gauge

	sources map[string]bool // that have a label of their own; only the follower uses it
}

// newMetrics registers the metrics with reg, which may be nil. It panics if those of
// another index are registered there.
func newMetrics(reg prometheus.Registerer) *metrics {
	with := promauto.With(prometheus.WrapRegistererWithPrefix("sparrow_dedup_", reg))
	gauge := func(name, help string) prometheus.Gauge {
		return with.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return &metrics{
		applied:    with.NewCounter(prometheus.CounterOpts{Name: "applied_records_total", Help: "Records decided."}),
		duplicates: with.NewCounterVec(prometheus.CounterOpts{Name: "duplicates_total", Help: "Records found to be duplicates, by source."}, []string{"source"}),
		entries:    gauge("entries", "Originals kept, approximately."),
		bytes:      gauge("disk_bytes", "Size of the index on disk."),
		window:     gauge("effective_window_seconds", "How far back repeats are recognised; less than configured when the byte budget is too small."),
		lag:        gauge("lag_seconds", "Time from receiving the last decided record to deciding it."),
		sources:    make(map[string]bool),
	}
}

func (m *metrics) duplicate(source string, n int) {
	if !m.sources[source] && len(m.sources) >= maxSources {
		source = other
	} else {
		m.sources[source] = true
	}
	m.duplicates.WithLabelValues(source).Add(float64(n))
}
