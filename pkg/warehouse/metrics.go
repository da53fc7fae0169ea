package warehouse

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	rows        *prometheus.CounterVec
	latency     prometheus.Histogram
	failures    prometheus.Counter
	quarantined prometheus.Counter
	untyped     prometheus.Counter
	lost        prometheus.Counter
	behind      prometheus.Gauge
	oldest      atomic.Int64 // receipt of the oldest record gathered, microseconds; 0 for none
}

func newMetrics(to prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sparrow_warehouse_rows_total", Help: "Rows loaded into the warehouse.",
		}, []string{"table"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sparrow_warehouse_batch_seconds", Help: "Time to load a batch, waits and repeats included.",
			Buckets: prometheus.ExponentialBuckets(0.002, 3, 10),
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sparrow_warehouse_failures_total", Help: "Failed attempts of the loader, each tried again.",
		}),
		quarantined: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sparrow_warehouse_quarantined_rows_total", Help: "Rows whose data the warehouse can never store.",
		}),
		untyped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sparrow_warehouse_untyped_rows_total", Help: "Events with NULLs in raw_normalized because making their columns failed.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sparrow_warehouse_lost_messages_total", Help: "Messages of the journal that were missing or damaged.",
		}),
		behind: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sparrow_warehouse_lag_messages", Help: "Messages of the events stream not loaded yet.",
		}),
	}
	if to == nil {
		return m, nil
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sparrow_warehouse_lag_seconds", Help: "Age of the oldest record not loaded yet; 0 when there is none.",
	}, m.lag)
	for _, c := range []prometheus.Collector{m.rows, m.latency, m.failures, m.quarantined, m.untyped, m.lost, m.behind, lag} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) lag() float64 {
	oldest := m.oldest.Load()
	if oldest == 0 {
		return 0
	}
	return max(0, time.Since(time.UnixMicro(oldest)).Seconds())
}

func (m *metrics) count(b *Batch, took time.Duration) {
	m.rows.WithLabelValues("raw").Add(float64(len(b.Raw)))
	m.rows.WithLabelValues("deliveries").Add(float64(len(b.Deliveries)))
	m.latency.Observe(took.Seconds())
}
