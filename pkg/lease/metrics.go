package lease

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	held    *prometheus.GaugeVec
	changes *prometheus.CounterVec
	members prometheus.Gauge
}

// newMetrics registers the metrics with reg, which may be nil. It panics if those of
// another member are registered there.
func newMetrics(reg prometheus.Registerer) *metrics {
	with := promauto.With(reg)
	return &metrics{
		held: with.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sparrow_lease_held", Help: "1 while this process does the work of the lease, 0 while it stands by."}, []string{"lease"}),
		changes: with.NewCounterVec(prometheus.CounterOpts{
			Name: "sparrow_lease_changes_total", Help: "Leases by what happened to them here: taken, taken_over, given_up, lost."}, []string{"change"}),
		members: with.NewGauge(prometheus.GaugeOpts{
			Name: "sparrow_lease_members", Help: "Processes that share work under leases, as this one sees them, itself included."}),
	}
}
