package bigquery_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

const away = "loader//warehouse away"

// TestGatewayGoesOnWithoutBigQuery: BigQuery is away when the gateway starts, then while it runs, then
// while it is stopped and started again. Everything else goes on.
func TestGatewayGoesOnWithoutBigQuery(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{Anonymous: true})
	s.server.Away()
	begun := time.Now()
	s.Start()
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the start took %v without BigQuery", took)
	}
	s.outage("start", 50, 50)
	if out, err := s.TryCommand("query", "select 1 from raw"); err == nil || !strings.Contains(out, "BigQuery does not answer") {
		t.Errorf("a query of a BigQuery that is away says: %s", out)
	}
	s.server.Back()
	s.awaitStored(time.Minute)
	s.caughtUp()

	s.server.Away()
	s.outage("running", 50, 100)
	s.server.Back()
	s.awaitStored(time.Minute)
	s.caughtUp()

	s.server.Away()
	s.outage("stopped", 20, 120)
	s.Stop(20 * time.Second) // that BigQuery is away does not hold it up for longer than configured
	s.Start()
	s.post("restarted", 20)
	s.server.Back()
	s.awaitStored(time.Minute)
	s.checkIssue(away)
}

// outage posts while BigQuery is away: intake takes it, the vendor has it,
// /metrics shows the lag, Sentry hears of it.
func (s *street) outage(prefix string, n, atVendor int) {
	s.t.Helper()
	begun := time.Now()
	s.post(prefix, n)
	if took := time.Since(begun); took > 15*time.Second {
		s.t.Errorf("%d events took %v", n, took)
	}
	if a := s.Do(http.MethodGet, "/readyz", ""); a.Status != http.StatusOK {
		s.t.Errorf("/readyz answers %d: %s", a.Status, a.Body)
	}
	s.Await("the vendor to have it all", 30*time.Second, func() bool { return s.vendor.Taken.Total() == atVendor })
	s.Await("/metrics to show the lag", 30*time.Second, func() bool {
		return s.metric("sparrow_warehouse_lag_seconds") > 3 && s.metric("sparrow_warehouse_lag_messages") > 0
	})
	s.checkIssue(away)
	if rows := s.stored(); len(rows) > len(s.posted)-n {
		s.t.Errorf("%d rows were stored while BigQuery was away: nothing is proved", len(rows))
	}
}

// caughtUp: /metrics says that all is loaded.
func (s *street) caughtUp() {
	s.t.Helper()
	s.Await("/metrics to show no lag", 30*time.Second, func() bool {
		return s.metric("sparrow_warehouse_lag_seconds") == 0 && s.metric("sparrow_warehouse_lag_messages") == 0
	})
}
