package dedup_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// benchJournal is endless as far as the benchmark wants: messages of 256 records
// with ids of their own, one in a hundred of them a repeat.
type benchJournal struct {
	messages uint64
	step     time.Duration // between messages
}

const benchRecords = 256

func (benchJournal) Epoch() string { return "e1" }

func (j benchJournal) Bounds(context.Context) (first, end event.Position, err error) {
	return event.Position{Seq: 1}, event.Position{Seq: j.messages + 1}, nil
}

func (j benchJournal) Read(_ context.Context, from event.Position) (dedup.Reader, error) {
	return &benchReader{journal: j, next: max(from.Seq, 1), records: make([]event.Record, benchRecords)}, nil
}

type benchReader struct {
	journal benchJournal
	next    uint64
	records []event.Record
}

func (r *benchReader) Next(ctx context.Context) (event.Batch, error) {
	if r.next > r.journal.messages {
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return event.Batch{}, err
	}
	for n := range r.records {
		id := r.next*benchRecords + uint64(n)
		if n%100 == 99 {
			id -= 50
		}
		var b [36]byte
		r.records[n] = record("shop", string(fmt.Appendf(b[:0], "0190163d-8694-739b-aea5-%012x", id)), time.Duration(r.next)*r.journal.step)
		r.records[n].Receipt = event.Receipt{Epoch: "e1", Position: event.Position{Seq: r.next, Index: uint32(n)}}
	}
	r.next++
	return event.Batch{Records: r.records, Next: event.Position{Seq: r.next}}, nil
}

func (*benchReader) Close() error { return nil }

// BenchmarkApply decides one record an operation; "a full window" has all
// generations in use, so that each new id is looked up in each.
func BenchmarkApply(b *testing.B) {
	for name, step := range map[string]time.Duration{"young": time.Millisecond, "full window": 0} {
		b.Run(name, func(b *testing.B) {
			j := benchJournal{messages: uint64(b.N)/benchRecords + 1, step: step}
			if step == 0 {
				j.step = dedup.DefaultConfig().Window * 9 / 10 / time.Duration(j.messages)
			}
			b.ReportAllocs()
			index, stop := open(b, b.TempDir(), dedup.DefaultConfig(), dedup.Options{}, j)
			last := []event.Record{{Receipt: event.Receipt{Epoch: "e1", Position: event.Position{Seq: j.messages}}}}
			if err := index.FlagDuplicates(b.Context(), last); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			stop()
		})
	}
}

// BenchmarkFlagDuplicates asks for the flags of a message that has no duplicate.
func BenchmarkFlagDuplicates(b *testing.B) {
	j := newJournal("e1")
	var batch event.Batch
	for n := range 100 {
		records := make([]event.Record, benchRecords)
		for k := range records {
			records[k] = record("shop", fmt.Sprintf("%d-%d", n, k), 0)
		}
		batch = j.add(records...)
	}
	index, _ := open(b, b.TempDir(), dedup.DefaultConfig(), dedup.Options{}, j)
	b.ReportAllocs()
	for b.Loop() {
		if err := index.FlagDuplicates(b.Context(), batch.Records); err != nil {
			b.Fatal(err)
		}
	}
}
