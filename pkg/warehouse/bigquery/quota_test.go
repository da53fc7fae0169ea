package bigquery_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// TestLoaderWaitsOutAnExceededQuota runs a loader through a minute in which each load
// fails with the adapter's own error of an exceeded quota. The minute is
// synctest's, so that the warehouse has no sockets: the error is what the
// strict server had the adapter say before.
func TestLoaderWaitsOutAnExceededQuota(t *testing.T) {
	exceeded := quotaError(t)
	synctest.Test(t, func(t *testing.T) {
		journal := warehousetest.NewJournal(epoch)
		w := &limited{until: time.Now().Add(time.Minute), err: exceeded}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		reported := 0
		config := warehouse.DefaultConfig()
		config.Retention = 0
		l, err := warehouse.NewLoader(config, warehouse.Options{
			Open: warehousetest.Opened(w), Events: journal.Events(), Outcomes: journal.Outcomes(),
			Reporter: observer(func(i fault.Incident) { reported++ }),
			Loaded: func(events event.Position, _ uint64) {
				if events.Seq > 90 {
					stop()
				}
			},
		})
		must(t, err)
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		begun := time.Now()
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for range 90 { // intake goes on all the while
			journal.Append(event.Record{ReceivedAt: time.Now(), Source: "shop", EventID: "x", Data: []byte(`{"event":"buy","deviceId":"d"}`)})
			<-second.C
		}
		must(t, <-done)
		if took := time.Since(begun); took > 2*time.Minute {
			t.Errorf("all was loaded after %s", took)
		}
		if w.rows != 90 {
			t.Errorf("%d rows, want 90", w.rows)
		}
		if w.refused < 3 || w.refused > 30 || reported != w.refused {
			t.Errorf("%d loads in the minute, want some, at least two seconds apart; %d incidents", w.refused, reported)
		}
	})
}

// quotaError is what Load says of an exceeded quota.
func quotaError(t *testing.T) error {
	t.Helper()
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 3))
	server.Order(bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded, Method: bigquerytest.AppendRows})
	err := w.Load(t.Context(), messages(t, 3, 6))
	if err == nil {
		t.Fatal("the load succeeded")
	}
	return err
}

type observer func(fault.Incident)

func (o observer) Report(i fault.Incident) { o(i) }

// limited is a warehouse over its quota until a time. It counts rows.
type limited struct {
	warehouse.Warehouse // nil: nothing else is called
	until               time.Time
	err                 error

	mu      sync.Mutex
	refused int
	rows    int
}

func (*limited) Prepare(context.Context) error                                 { return nil }
func (*limited) Positions(context.Context) ([]warehouse.StreamPosition, error) { return nil, nil }
func (*limited) Names(context.Context, time.Time, string) ([]string, error) {
	return nil, nil
}

func (w *limited) Load(_ context.Context, b *warehouse.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Now().Before(w.until) {
		w.refused++
		return w.err
	}
	w.rows += len(b.Raw)
	return nil
}
