package dedup

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
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

	mu      sync.Mutex
	sources map[string]bool // that have a label of their own
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		applied: prometheus.NewCounter(prometheus.CounterOpts{Name: "sparrow_dedup_applied_records_total", Help: "Records decided."}),
		duplicates: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sparrow_dedup_duplicates_total", Help: "Records found to be duplicates, by source.",
		}, []string{"source"}),
		entries: gauge("sparrow_dedup_entries", "Originals kept, approximately."),
		bytes:   gauge("sparrow_dedup_disk_bytes", "Size of the index on disk."),
		window:  gauge("sparrow_dedup_effective_window_seconds", "How far back repeats are recognised; less than configured when the byte budget is too small."),
		lag:     gauge("sparrow_dedup_lag_seconds", "Time from receiving the last decided record to deciding it."),
		sources: make(map[string]bool),
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.applied, m.duplicates, m.entries, m.bytes, m.window, m.lag} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) duplicate(source string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.sources[source] && len(m.sources) >= maxSources {
		source = other
	} else {
		m.sources[source] = true
	}
	m.duplicates.WithLabelValues(source).Add(float64(n))
}
