package journal

import (
	"errors"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	appendSeconds prometheus.Histogram
	commitSeconds prometheus.Histogram
	groupRecords  prometheus.Histogram
	groupBytes    prometheus.Histogram
	refusedTotal  *prometheus.CounterVec
	streamBytes   *prometheus.GaugeVec
	boundBytes    *prometheus.GaugeVec
	messages      *prometheus.GaugeVec
	oldestPin     *prometheus.GaugeVec
	lostMessages  *prometheus.CounterVec
	freeBytes     prometheus.Gauge
	restarts      prometheus.Counter
}

// newMetrics registers the metrics with reg, which may be nil. It panics if another
// journal's are registered there.
func newMetrics(reg prometheus.Registerer) *metrics {
	with := promauto.With(prometheus.WrapRegistererWithPrefix("sparrow_journal_", reg))
	stream := []string{"stream"}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return with.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	gauges := func(name, help string) *prometheus.GaugeVec {
		return with.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, stream)
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return with.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	seconds := prometheus.ExponentialBuckets(0.0005, 2, 15) // 0.5 ms to 8 s
	return &metrics{
		appendSeconds: histogram("append_seconds", "Time until an append was durable.", seconds),
		commitSeconds: histogram("commit_seconds", "Time of one durable publish of a group.", seconds),
		groupRecords:  histogram("group_records", "Records stored as one message.", prometheus.ExponentialBuckets(1, 2, 12)),
		groupBytes:    histogram("group_bytes", "Size of a message.", prometheus.ExponentialBuckets(256, 4, 8)),
		refusedTotal:  counters("refused_appends_total", "Appends that failed, by reason.", "reason"),
		streamBytes:   gauges("stream_bytes", "Bytes in a stream."),
		boundBytes:    gauges("stream_bound_bytes", "Bytes that a stream may have."),
		messages:      gauges("stream_messages", "Messages in a stream."),
		oldestPin:     gauges("oldest_hold_messages", "Messages between the slowest reader's pin and the end."),
		lostMessages:  counters("lost_messages_total", "Messages found missing or damaged.", "stream"),
		freeBytes:     with.NewGauge(prometheus.GaugeOpts{Name: "disk_free_bytes", Help: "Free space on the journal's disk."}),
		restarts:      with.NewCounter(prometheus.CounterOpts{Name: "restarts_total", Help: "Restarts of the embedded server."}),
	}
}

// refused counts a failed append by its kind.
func (m *metrics) refused(err error) {
	reason := "cancelled"
	switch {
	case errors.Is(err, ErrFull):
		reason = "full"
	case errors.Is(err, ErrUnavailable):
		reason = "unavailable"
	case errors.Is(err, ErrTooLarge):
		reason = "too_large"
	case errors.Is(err, ErrClosed):
		reason = "closed"
	}
	m.refusedTotal.WithLabelValues(reason).Inc()
}

func (m *metrics) stream(s *Stream, state jetstream.StreamState) {
	m.streamBytes.WithLabelValues(s.label).Set(float64(state.Bytes))
	m.boundBytes.WithLabelValues(s.label).Set(float64(s.bound))
	m.messages.WithLabelValues(s.label).Set(float64(state.Msgs))
	if lowest, pinned := lowestPin(s.pins.of(s.label)); pinned {
		behind := uint64(0)
		if lowest <= state.LastSeq {
			behind = state.LastSeq - lowest + 1
		}
		m.oldestPin.WithLabelValues(s.label).Set(float64(behind))
	}
}
