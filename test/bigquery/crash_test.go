package bigquery_test

import (
	"context"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
	"github.com/sparrow-edge/sparrow/test/harness"
)

const kills = 10

// TestAcknowledgedEventsAreStoredOnceThroughKills kills the gateway every second under load. What was
// acknowledged is in BigQuery, once.
func TestAcknowledgedEventsAreStoredOnceThroughKills(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{Anonymous: true})
	s.Start()
	pace := time.NewTicker(2 * time.Millisecond) // two cores have other things to do
	defer pace.Stop()
	generator := &harness.Generator{URL: s.URL, Key: key, Prefix: "crash", Workers: 4, Body: func(id string, n int) string {
		<-pace.C
		return counted(id, n)
	}}
	load, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		generator.Run(load)
	}()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	before := 0
	for range kills {
		<-second.C
		s.Await("rows to be loaded between two kills", time.Minute, func() bool {
			rows, _ := s.server.Store().Count("sparrow", "raw")
			return int(rows) > before
		})
		s.Kill()
		rows, _ := s.server.Store().Count("sparrow", "raw")
		before = int(rows)
		s.Start()
	}
	stop()
	<-done
	acknowledged, sent := generator.Acknowledged(), generator.Sent()
	s.Await("everything that was acknowledged in BigQuery", 2*time.Minute, func() bool {
		rows := s.stored()
		for id := range acknowledged {
			if rows[id] == 0 {
				return false
			}
		}
		return true
	})
	s.Stop(time.Minute)
	s.checkStored(acknowledged, sent)
	rows, _ := s.server.Store().Count("sparrow", "raw")
	t.Logf("%d events acknowledged, %d tried, %d rows, over %d SIGKILLs", len(acknowledged), len(sent), rows, kills)
}
