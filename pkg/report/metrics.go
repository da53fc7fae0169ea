package report

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// maxLabels bounds the pairs of component and class in the metrics.
const maxLabels = 256

type metrics struct {
	incidents *prometheus.CounterVec
	records   *prometheus.CounterVec
	dropped   prometheus.Counter

	mu    sync.Mutex
	pairs map[[2]string]bool
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		incidents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sparrow_report_incidents_total", Help: "Incidents observed, by component and class.",
		}, []string{"component", "class"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sparrow_report_records_total",
			Help: "Reports and summaries by where they went: sent to Sentry, or to the log because there is no DSN (logged) or Sentry was limiting, refusing or away (limited, refused, failed).",
		}, []string{"result"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sparrow_report_dropped_total", Help: "Incidents that found the queue full and are only counted in a summary.",
		}),
		pairs: make(map[[2]string]bool),
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.incidents, m.records, m.dropped} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) observe(component, class string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	pair := [2]string{component, class}
	if !m.pairs[pair] && len(m.pairs) >= maxLabels {
		pair = [2]string{other, other}
	}
	m.pairs[pair] = true
	m.incidents.WithLabelValues(pair[:]...).Inc()
}
