//go:build cgo

package duckdb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// message is the rows of a message of n events of about 400 bytes, each with an
// outcome at three trackers if wanted.
func message(tb testing.TB, seq uint64, n int, outcomes bool) *warehouse.Batch {
	tb.Helper()
	received := warehouse.Day(time.Now()).Add(time.Hour)
	b := &warehouse.Batch{Events: warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: "bench", Next: event.Position{Seq: seq + 1}}}
	for i := range n {
		r := event.Record{
			Receipt:    event.Receipt{Epoch: "bench", Position: event.Position{Seq: seq, Index: uint32(i)}},
			ReceivedAt: received.Add(time.Duration(seq) * time.Millisecond), Source: "dashboard", EventID: fmt.Sprintf("0190a1b2-c3d4-7e5f-8a9b-%012d", seq*1e6+uint64(i)),
			Data: fmt.Appendf(nil, `{"event":"event %d","deviceId":"device-%d","userId":"user-%d","timestamp":"2026-11-20T10:00:00.000Z","properties":{"category":"billing","productName":"workers","price":%d.99,"quantity":%d,"coupon":null,"tags":["a","b"]},"context":{"page":{"url":"https://dash.example.com/billing?utm_source=x","path":"/billing","referrer":"","title":"Billing"},"locale":"en-GB","sessionId":"s-%d"}}`,
				i%20, i, i%1000, i%90, i%9, i),
			Context: event.Context{IP: "192.0.2.0", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Origin: "https://dash.example.com", RequestID: "req-1"},
		}
		row, err := warehouse.NewRawRow(&r)
		if err != nil {
			tb.Fatal(err)
		}
		b.Raw = append(b.Raw, row)
	}
	if !outcomes {
		return b
	}
	b.Outcomes = warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: "bench", Next: event.Position{Seq: (seq + 1) * 3}}
	for k := range uint64(3) {
		report := event.Checkpoint{Tracker: fmt.Sprintf("tracker%d", k), Epoch: "bench", Watermark: event.Position{Seq: seq + 1}, Plan: "p", Release: "v"}
		for i := range n {
			report.Deliveries = append(report.Deliveries, event.Delivery{
				Position: b.Raw[i].Receipt.Position, EventID: b.Raw[i].EventID, Source: b.Raw[i].Source, Event: b.Raw[i].Event, Outcome: event.Delivered, Status: 204, Attempts: 1,
				Time: received, Latency: time.Millisecond, Day: warehouse.Day(received),
			})
		}
		b.AddCheckpoint(seq*3+k, &report)
	}
	return b
}

// BenchmarkLoad loads batches of 50,000 events, first alone, then each with its
// outcome at three trackers. One operation is one event.
func BenchmarkLoad(b *testing.B) {
	for _, outcomes := range []bool{false, true} {
		b.Run(map[bool]string{false: "raw", true: "raw and 3 deliveries"}[outcomes], func(b *testing.B) {
			w := openBench(b)
			const size = 50_000
			batch := message(b, 1, size, outcomes)
			b.ResetTimer()
			for done := 0; done < b.N; done += size {
				shift(batch)
				if err := w.Load(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// shift makes a batch the next one, so that a benchmark does not measure its own data.
func shift(b *warehouse.Batch) {
	b.Events.Next.Seq++
	b.Outcomes.Next.Seq += 3
	for i := range b.Raw {
		b.Raw[i].Receipt.Seq++
	}
	for i := range b.Deliveries {
		b.Deliveries[i].Position.Seq++
		b.Deliveries[i].Seq += 3
	}
	for i := range b.Lanes {
		b.Lanes[i].Watermark.Seq++
		b.Lanes[i].Seq += 3
	}
}

func openBench(b *testing.B) warehouse.Warehouse {
	b.Helper()
	w, err := open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.Close() })
	columns := []warehouse.Column{
		{Name: "category", Property: "category", Type: warehouse.TypeString},
		{Name: "productName", Property: "productName", Type: warehouse.TypeString},
		{Name: "price", Property: "price", Type: warehouse.TypeNumber},
		{Name: "quantity", Property: "quantity", Type: warehouse.TypeInteger},
	}
	if err := w.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := w.ApplyViews(b.Context(), columns, false); err != nil {
		b.Fatal(err)
	}
	return w
}

// BenchmarkViews asks the views over 500,000 events and 1,500,000 deliveries.
func BenchmarkViews(b *testing.B) {
	w := openBench(b)
	batch := message(b, 1, 50_000, true)
	for range 10 {
		shift(batch)
		if err := w.Load(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	for _, query := range []string{
		"select * from reconciliation",
		"select event, count(*), sum(price) from raw_normalized group by event",
		"select count(*) from raw_normalized where event = 'event 7' and category = 'billing'",
	} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.Query(b.Context(), query, warehouse.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
