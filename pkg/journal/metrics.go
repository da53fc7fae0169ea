package journal

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
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

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	stream := []string{"stream"}
	seconds := prometheus.ExponentialBuckets(0.0005, 2, 15) // 0.5 ms to 8 s
	m := &metrics{
		appendSeconds: histogram("append_seconds", "Time until an append was durable.", seconds),
		commitSeconds: histogram("commit_seconds", "Time of one durable publish of a group.", seconds),
		groupRecords:  histogram("group_records", "Records stored as one message.", prometheus.ExponentialBuckets(1, 2, 12)),
		groupBytes:    histogram("group_bytes", "Size of a message.", prometheus.ExponentialBuckets(256, 4, 8)),
		refusedTotal:  counters("refused_appends_total", "Appends that failed, by reason.", []string{"reason"}),
		streamBytes:   gauges("stream_bytes", "Bytes in a stream.", stream),
		boundBytes:    gauges("stream_bound_bytes", "Bytes that a stream may have.", stream),
		messages:      gauges("stream_messages", "Messages in a stream.", stream),
		oldestPin:     gauges("oldest_hold_messages", "Messages between the slowest reader's pin and the end.", stream),
		lostMessages:  counters("lost_messages_total", "Messages found missing or damaged.", stream),
		freeBytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sparrow_journal_disk_free_bytes", Help: "Free space on the journal's disk."}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sparrow_journal_restarts_total", Help: "Restarts of the embedded server."}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.appendSeconds, m.commitSeconds, m.groupRecords, m.groupBytes, m.refusedTotal, m.streamBytes,
		m.boundBytes, m.messages, m.oldestPin, m.lostMessages, m.freeBytes, m.restarts,
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
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

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "sparrow_journal_" + name, Help: help, Buckets: buckets})
}

func gauges(name, help string, labels []string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "sparrow_journal_" + name, Help: help}, labels)
}

func counters(name, help string, labels []string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sparrow_journal_" + name, Help: help}, labels)
}
