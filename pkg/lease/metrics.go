package lease

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	held    *prometheus.GaugeVec
	changes *prometheus.CounterVec
	members prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sparrow_lease_held", Help: "1 while this process does the work of the lease, 0 while it stands by."}, []string{"lease"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sparrow_lease_changes_total", Help: "Leases by what happened to them here: taken, taken_over, given_up, lost."}, []string{"change"}),
		members: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sparrow_lease_members", Help: "Processes that share work under leases, as this one sees them, itself included."}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.held, m.changes, m.members} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
