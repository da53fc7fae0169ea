package bigquerytest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery/storage/managedwriter"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// BenchmarkAppend appends rows of about 500 bytes in requests of 1,000, eight in
// flight, client and server in one process. An operation is a row.
func BenchmarkAppend(b *testing.B) {
	for name, keep := range map[string]map[string]string{"whole": nil, "ids": {tableID: "id"}} {
		b.Run(name, func(b *testing.B) {
			store, err := bigquerytest.NewStore(b.TempDir(), bigquerytest.StoreConfig{Keep: keep})
			must(b, err)
			b.Cleanup(func() { must(b, store.Close()) })
			w := newWorld(b, bigquerytest.Config{Store: store})
			ms := w.stream(managedwriter.CommittedStream)
			const size = 1000
			rest := strings.Repeat("x", 460)
			batch := make([][]byte, size)
			for i := range batch {
				batch[i] = appendText(appendNumber(appendNumber(row(fmt.Sprintf("id-%06d", i)), 2, time.Now().UnixMicro()), 3, int64(i)), 4, rest)
			}
			b.SetBytes(int64(len(batch[0])))
			var waiting []*managedwriter.AppendResult
			b.ResetTimer()
			for sent := 0; sent < b.N; sent += size {
				n := min(size, b.N-sent)
				result, err := ms.AppendRows(b.Context(), batch[:n], managedwriter.WithOffset(int64(sent)))
				must(b, err)
				if waiting = append(waiting, result); len(waiting) == 8 {
					_, err := waiting[0].GetResult(b.Context())
					must(b, err)
					waiting = waiting[1:]
				}
			}
			for _, result := range waiting {
				_, err := result.GetResult(b.Context())
				must(b, err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			if n, _ := store.Count(dataset, tableID); n != int64(b.N) {
				b.Errorf("%d rows, want %d", n, b.N)
			}
		})
	}
}

// BenchmarkCheck checks a row of about 500 bytes: the server's own share.
func BenchmarkCheck(b *testing.B) {
	checker := plainChecker(b)
	sound := appendNumber(appendText(nil, 1, strings.Repeat("x", 480)), 2, 1<<40)
	for b.Loop() {
		must(b, checker.Check(sound))
	}
}
