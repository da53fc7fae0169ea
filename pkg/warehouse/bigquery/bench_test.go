package bigquery_test

import (
	"context"
	"fmt"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// What one operation of BenchmarkLoader loads.
const (
	benchEvents  = 1_000_000
	benchMessage = 500 // events of a journal's message
)

// BenchmarkLoader has a loader load a million events of about 400 bytes into the
// strict server, which runs in this process and stores each row's receipt. It
// reports the rows a second and the most memory that the heap's objects took,
// the server's included.
func BenchmarkLoader(b *testing.B) {
	for range b.N {
		store, err := bigquerytest.NewStore(b.TempDir(), bigquerytest.StoreConfig{Keep: map[string]string{"raw": "receipt"}})
		must(b, err)
		server := bigquerytest.Start(b, bigquerytest.Config{Anonymous: true, Store: store})
		w := strict(b, server, nil)
		must(b, w.Prepare(b.Context()))
		peak := watchHeap(b)
		begun := time.Now()
		loadBench(b, w)
		b.ReportMetric(benchEvents/time.Since(begun).Seconds(), "rows/s")
		b.ReportMetric(float64(peak())/1e6, "peak-MB")
		checkBench(b, store)
		must(b, w.Close())
		server.Close()
		must(b, store.Close())
	}
}

func loadBench(b *testing.B, w warehouse.Warehouse) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	config := warehouse.DefaultConfig()
	config.Retention = 0
	l, err := warehouse.NewLoader(config, warehouse.Options{
		Open: warehousetest.Opened(w), Events: newBenchEvents(b), Outcomes: noOutcomes{},
		Loaded: func(events event.Position, _ uint64) {
			if events.Seq > benchEvents/benchMessage {
				cancel()
			}
		},
	})
	must(b, err)
	must(b, l.Run(ctx))
}

// checkBench: each event is stored, once, in the journal's order.
func checkBench(b *testing.B, store *bigquerytest.Store) {
	at := 0
	for receipt, err := range store.Texts("sparrow", "raw", "receipt") {
		must(b, err)
		if want := fmt.Sprintf("bench-%d-%d", 1+at/benchMessage, at%benchMessage); receipt != want {
			b.Fatalf("row %d is %s, want %s", at, receipt, want)
		}
		at++
	}
	if at != benchEvents {
		b.Fatalf("%d rows, want %d", at, benchEvents)
	}
}

// watchHeap looks at the heap until peak is called.
func watchHeap(b *testing.B) (peak func() uint64) {
	stop, result := make(chan struct{}), make(chan uint64)
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		most := uint64(0)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-stop:
				result <- most
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-result
	}
}

// benchJournal is a journal whose messages are made when they are read.
type benchJournal struct{ data [][]byte }

func newBenchEvents(b *testing.B) *benchJournal {
	b.Helper()
	j := &benchJournal{}
	for i := range benchMessage {
		j.data = append(j.data, fmt.Appendf(nil, `{"event":"event %d","deviceId":"device-%d","userId":"user-%d","timestamp":"2026-11-20T10:00:00.000Z","properties":{"category":"billing","productName":"workers","price":%d.99,"quantity":%d,"coupon":null,"tags":["a","b"]},"context":{"page":{"url":"https://dash.example.com/billing?utm_source=x","path":"/billing","referrer":"","title":"Billing"},"locale":"en-GB","sessionId":"s-%d"}}`,
			i%20, i, i%1000, i%90, i%9, i))
	}
	return j
}

func (*benchJournal) Epoch() string { return "bench" }

func (*benchJournal) End(context.Context) (event.Position, error) {
	return event.Position{Seq: benchEvents/benchMessage + 1}, nil
}

func (j *benchJournal) Read(_ context.Context, from event.Position) (warehouse.EventReader, error) {
	return &benchReader{journal: j, seq: max(from.Seq, 1), received: time.Now().Add(-time.Hour).Truncate(time.Microsecond)}, nil
}

type benchReader struct {
	journal  *benchJournal
	seq      uint64
	received time.Time
}

func (r *benchReader) Next(ctx context.Context) (event.Batch, error) {
	if r.seq > benchEvents/benchMessage {
		<-ctx.Done()
		return event.Batch{}, ctx.Err()
	}
	records := make([]event.Record, benchMessage)
	for i := range records {
		records[i] = event.Record{
			Receipt:    event.Receipt{Epoch: "bench", Position: event.Position{Seq: r.seq, Index: uint32(i)}},
			ReceivedAt: r.received, Source: "dashboard", EventID: "0190a1b2-c3d4-7e5f-8a9b-000000000000", Data: r.journal.data[i],
			Context: event.Context{IP: "192.0.2.0", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Origin: "https://dash.example.com", RequestID: "req-1"},
		}
	}
	r.seq++
	return event.Batch{Records: records, Next: event.Position{Seq: r.seq}}, nil
}

func (*benchReader) Close() error { return nil }

// noOutcomes is an outcomes stream without reports.
type noOutcomes struct{}

func (noOutcomes) Epoch() string                       { return "bench" }
func (noOutcomes) End(context.Context) (uint64, error) { return 1, nil }
func (noOutcomes) Read(context.Context, uint64) (warehouse.OutcomeReader, error) {
	return noOutcomes{}, nil
}

func (noOutcomes) Next(ctx context.Context) (uint64, event.Checkpoint, error) {
	<-ctx.Done()
	return 0, event.Checkpoint{}, ctx.Err()
}

func (noOutcomes) Close() error { return nil }
