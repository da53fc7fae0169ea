package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

var benchRecord = bytes.Repeat([]byte("sparrow."), 50) // 400 bytes

func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{64, 256} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			cfg := testConfig()
			cfg.MaxBytes *= 40
			j := mustOpen(b, cfg, journal.Options{Dir: b.TempDir()})
			run(b, j)
			b.SetBytes(int64(len(benchRecord)))
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := j.Append(context.Background(), [][]byte{benchRecord}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkCheckDir is what each stored message pays for the promise that nothing is
// acknowledged whose file is gone.
func BenchmarkCheckDir(b *testing.B) {
	j := mustOpen(b, testConfig(), journal.Options{Dir: b.TempDir()})
	b.ReportAllocs()
	for b.Loop() {
		if err := j.CheckDir(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	const messages, records = 400, 250
	j, _ := mustStart(b, b.TempDir())
	batch := make([][]byte, records)
	for i := range batch {
		batch[i] = benchRecord
	}
	for range messages {
		if _, err := j.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(benchRecord)))
	b.ReportAllocs()
	b.ResetTimer()
	read := 0
	for read < b.N {
		r := mustRead(b, j.Events(), 1)
		for range messages {
			m, err := r.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			read += len(m.Records)
		}
		r.Close()
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
}
