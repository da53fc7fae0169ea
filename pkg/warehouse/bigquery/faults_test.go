//go:build bigquery

// Run with go test -tags bigquery: the adapter is not finished, and some of its
// tests say so.

package bigquery_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"crypto/tls"

	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

const epoch = "e1"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// strict opens the dataset "sparrow" of a strict server.
func strict(t testing.TB, server *bigquerytest.Server, change func(*bigquery.Config)) *bigquery.Store {
	t.Helper()
	config := bigquery.DefaultConfig()
	config.Project, config.Insecure, config.Timeout = server.Project(), true, 5*time.Second
	config.Endpoint, config.StorageEndpoint = server.URL(), server.GRPCAddress()
	if change != nil {
		change(&config)
	}
	s, err := bigquery.Open(context.Background(), config, bigquery.Options{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// messages is what the journal holds from message first up to, not including,
// next: three records each, and a report that delivers two of them, counts one
// held back and a leak. Its rows are always the same.
func messages(t testing.TB, first, next uint64) *warehouse.Batch {
	t.Helper()
	day := warehouse.Day(time.Now()).AddDate(0, 0, -1)
	b := &warehouse.Batch{
		Events:   warehouse.Mark{Stream: warehouse.EventsStream, Epoch: epoch, Next: event.Position{Seq: next}},
		Outcomes: warehouse.Mark{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: next}},
		Names:    []warehouse.NameRow{{Day: day, Source: "shop", Event: "buy"}},
	}
	for seq := first; seq < next; seq++ {
		report := event.Report{Tracker: "ga4", Epoch: epoch, Time: day, Watermark: event.Position{Seq: seq + 1},
			Held:  []event.Held{{Day: day, Source: "shop", Event: "buy", Reason: "consent", Count: 1}},
			Leaks: []event.Leak{{Day: day, Source: "shop", Event: "buy", Property: "note", Kind: "email", Count: 1}}}
		for i := range uint32(3) {
			at := event.Position{Seq: seq, Index: i}
			row, err := warehouse.NewRawRow(&event.Record{
				Receipt: event.Receipt{Epoch: epoch, Position: at}, ReceivedAt: day.Add(time.Hour), Source: "shop", EventID: fmt.Sprintf("id-%d-%d", seq, i),
				Data: fmt.Appendf(nil, `{"event":"buy","deviceId":"d","n":%d}`, seq),
			})
			must(t, err)
			row.Event = "buy"
			b.Raw = append(b.Raw, row)
			if i > 0 {
				report.Deliveries = append(report.Deliveries, event.Delivery{Position: at, Outcome: event.Delivered, Time: day, Day: day})
			}
		}
		b.AddReport(seq, &report)
	}
	return b
}

// checkRows: the server has each row of messages 1 up to, not including, next
// once, in the journal's order.
func checkRows(t testing.TB, server *bigquerytest.Server, next uint64) {
	t.Helper()
	var raw, deliveries, counts []string
	for seq := uint64(1); seq < next; seq++ {
		for i := range 3 {
			raw = append(raw, fmt.Sprintf("%s-%d-%d", epoch, seq, i))
		}
		deliveries = append(deliveries, fmt.Sprintf("%s-%d-1", epoch, seq), fmt.Sprintf("%s-%d-2", epoch, seq))
		counts = append(counts, fmt.Sprint(seq))
	}
	for table, want := range map[string][]string{"raw": raw, "deliveries": deliveries} {
		if got := values(t, server, table, "receipt"); !equal(got, want) {
			t.Errorf("%s: %s", table, different(got, want))
		}
	}
	for _, table := range []string{"filtered_log", "leaks_log"} {
		if got := values(t, server, table, "reportSeq"); !equal(got, counts) {
			t.Errorf("%s: %s", table, different(got, counts))
		}
	}
}

func values(t testing.TB, server *bigquerytest.Server, table, column string) (list []string) {
	t.Helper()
	for row, err := range server.Store().Rows("sparrow", table) {
		must(t, err)
		list = append(list, fmt.Sprint(row.Values[column]))
	}
	return list
}

func equal(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

func different(got, want []string) string {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("%d rows, want %d; they differ from row %d on: got %v, want %v", len(got), len(want), i, tail(got, i), tail(want, i))
		}
	}
	return "the same"
}

func tail(list []string, i int) []string { return list[min(i, len(list)):min(i+4, len(list))] }

// persist loads a batch as the loader does: until it succeeds.
func persist(t testing.TB, w warehouse.Warehouse, b *warehouse.Batch) (failures []error) {
	t.Helper()
	for range 60 {
		err := w.Load(t.Context(), b)
		if err == nil {
			return failures
		}
		if rows, refused := errors.AsType[*warehouse.RowsError](err); refused {
			for _, bad := range rows.Rows {
				b.Raw[bad.Row].Refused = bad.Reason
			}
		}
		failures = append(failures, err)
		<-time.After(10 * time.Millisecond)
	}
	t.Fatalf("the batch was never loaded: %v", failures[len(failures)-1])
	return nil
}

// TestEveryCallFailsOnce breaks each call of a load in each way, once as a
// passing fault within a process, and once as its death: the store is thrown
// away and another goes on, with batches that are cut elsewhere.
func TestEveryCallFailsOnce(t *testing.T) {
	calls := map[bigquerytest.Method]int{bigquerytest.AppendRows: 9, bigquerytest.CreateWriteStream: 6, bigquerytest.FinalizeWriteStream: 3, bigquerytest.GetWriteStream: 6, bigquerytest.JobsQuery: 3}
	for _, kind := range []bigquerytest.Kind{
		bigquerytest.CloseAfterCommit, bigquerytest.ResetAfterCommit, bigquerytest.Unavailable, bigquerytest.Reset,
		bigquerytest.InternalError, bigquerytest.QuotaExceeded, bigquerytest.StreamGone,
	} {
		for method, most := range calls {
			for after := range most {
				for _, death := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/%d/death=%t", kind, method, after, death), func(t *testing.T) {
						if testing.Short() && after > 1 {
							t.Skip("short")
						}
						t.Parallel()
						failOnce(t, bigquerytest.Fault{Kind: kind, Method: method, After: after, Calls: 1}, death)
					})
				}
			}
		}
	}
}

func failOnce(t *testing.T, f bigquerytest.Fault, death bool) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	persist(t, w, messages(t, 1, 4))
	must(t, w.Close()) // so that the next begins with streams to finalize
	w = strict(t, server, nil)
	order := server.Order(f)
	if death {
		_ = w.Load(t.Context(), messages(t, 4, 9))
		order.Clear()
		must(t, w.Close())
		w = strict(t, server, nil)
		persist(t, w, messages(t, 4, 6))
		persist(t, w, messages(t, 6, 7))
	}
	persist(t, w, messages(t, 4, 9))
	persist(t, w, messages(t, 9, 12))
	checkRows(t, server, 12)
}

// TestRandomFaults loads through a long run of faults, with a new process now
// and then, and batches that are cut anew each time.
func TestRandomFaults(t *testing.T) {
	kinds := []bigquerytest.Kind{
		bigquerytest.CloseAfterCommit, bigquerytest.ResetAfterCommit, bigquerytest.Unavailable, bigquerytest.Reset, bigquerytest.InternalError,
		bigquerytest.StreamGone, bigquerytest.RateLimited,
	}
	methods := []bigquerytest.Method{bigquerytest.AppendRows, bigquerytest.AppendRows, bigquerytest.AppendRows, bigquerytest.CreateWriteStream, bigquerytest.FinalizeWriteStream}
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	next := uint64(1)
	for range 120 {
		order := server.Order(bigquerytest.Fault{Kind: kinds[rand.IntN(len(kinds))], Method: methods[rand.IntN(len(methods))], After: rand.IntN(6), Calls: 1 + rand.IntN(2)})
		_ = w.Load(t.Context(), messages(t, next, next+1+rand.Uint64N(5)))
		if rand.IntN(3) == 0 {
			must(t, w.Close())
			w = strict(t, server, nil)
		}
		order.Clear()
		marks, err := w.Marks(t.Context())
		must(t, err)
		for _, m := range marks {
			if m.Stream == warehouse.EventsStream {
				next = m.Next.Seq
			}
		}
	}
	persist(t, w, messages(t, next, next+8))
	checkRows(t, server, next+8)
	t.Logf("%d messages", next+8)
}

// TestTwoProcesses: two that load at once take the loading from each other, and
// each row is stored once.
func TestTwoProcesses(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	a, b := strict(t, server, nil), strict(t, server, nil)
	must(t, a.Prepare(t.Context()))
	for next := uint64(1); next < 40; next += 3 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			persist(t, a, messages(t, 1, next+3))
		}()
		persist(t, b, messages(t, 1, next+2))
		<-done
	}
	persist(t, b, messages(t, 1, 43))
	checkRows(t, server, 43)
}

// TestAway: BigQuery is away when loading starts, and again later for a while.
// Load says so in time, and goes on when it is back.
func TestAway(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	server.Away()
	w := strict(t, server, func(c *bigquery.Config) { c.Timeout = time.Second })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := w.Load(ctx, messages(t, 1, 4)); err == nil || fault.IsPermanent(err) {
		t.Fatalf("away: error %v, want one that passes", err)
	}
	server.Back()
	persist(t, w, messages(t, 1, 4))
	server.Away()
	if err := w.Load(t.Context(), messages(t, 4, 6)); err == nil {
		t.Fatal("away: no error")
	}
	server.Back()
	persist(t, w, messages(t, 4, 6))
	checkRows(t, server, 6)
}

// TestSlowAnswers: late answers delay loading, and nothing else.
func TestSlowAnswers(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	server.Order(bigquerytest.Fault{Kind: bigquerytest.Slow, Method: bigquerytest.AppendRows, Delay: 100 * time.Millisecond})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 200))
	persist(t, w, messages(t, 200, 300))
	checkRows(t, server, 300)
}

// TestHangs: an append that is never answered ends with the time limit, and the
// rows are stored once.
func TestHangs(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, func(c *bigquery.Config) { c.Timeout = time.Second })
	persist(t, w, messages(t, 1, 3))
	server.Order(bigquerytest.Fault{Kind: bigquerytest.Hang, Method: bigquerytest.AppendRows, Calls: 1})
	failures := persist(t, w, messages(t, 3, 6))
	if len(failures) == 0 {
		t.Error("nothing hung")
	}
	checkRows(t, server, 6)
}

// TestQuota: a while of exceeded quota says how long to wait, and passes.
func TestQuota(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 3))
	server.Order(bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded, Method: bigquerytest.AppendRows, For: 300 * time.Millisecond})
	err := w.Load(t.Context(), messages(t, 3, 6))
	if wait, told := fault.RetryAfter(err); !errors.Is(err, bigquery.ErrQuota) || !told || wait <= 0 || fault.IsPermanent(err) {
		t.Errorf("error %v, want ErrQuota with a time to wait", err)
	}
	persist(t, w, messages(t, 3, 6))
	checkRows(t, server, 6)
}

// TestPermission: a missing permission is told with the role that has it, and
// loading goes on once it is granted.
func TestPermission(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 3))
	order := server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, Method: bigquerytest.AppendRows})
	err := w.Load(t.Context(), messages(t, 3, 6))
	if !errors.Is(err, bigquery.ErrPermission) || !fault.IsPermanent(err) || !strings.Contains(err.Error(), "roles/bigquery.dataEditor") {
		t.Errorf("error %v, want a permanent ErrPermission with the role", err)
	}
	order.Clear()
	persist(t, w, messages(t, 3, 6))
	checkRows(t, server, 6)
}

// TestTokens: a key's tokens, over TLS, which end in the middle of loading.
func TestTokens(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{TLS: true})
	key, err := server.Credentials()
	must(t, err)
	account, err := auth.ParseServiceAccount(key)
	must(t, err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.RootCAs(), MinVersion: tls.VersionTLS12}}}
	t.Cleanup(client.CloseIdleConnections)
	tokens, err := auth.NewSource(account, client, auth.BigQueryScope)
	must(t, err)
	config := bigquery.DefaultConfig()
	config.Project, config.Endpoint, config.StorageEndpoint = server.Project(), server.URL(), server.GRPCAddress()
	w, err := bigquery.Open(context.Background(), config, bigquery.Options{Tokens: tokens, RootCAs: server.RootCAs()})
	must(t, err)
	t.Cleanup(func() { _ = w.Close() })
	must(t, w.Prepare(t.Context()))
	persist(t, w, messages(t, 1, 4))
	server.ExpireTokens()
	failures := persist(t, w, messages(t, 4, 9))
	if len(failures) == 0 || !errors.Is(failures[0], bigquery.ErrUnauthenticated) {
		t.Errorf("failures %v, want first that the token is not accepted", failures)
	}
	checkRows(t, server, 9)
}

// TestTableDropped: a table that is gone is made anew, and loading goes on.
func TestTableDropped(t *testing.T) {
	for _, table := range []string{"filtered_log", "names_log", "lanes_log"} {
		t.Run(table, func(t *testing.T) {
			server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
			w := strict(t, server, nil)
			persist(t, w, messages(t, 1, 4))
			if !server.Store().DropTable("sparrow", table) {
				t.Fatal("no such table")
			}
			persist(t, w, messages(t, 4, 9))
			if got := values(t, server, "raw", "receipt"); len(got) != 8*3 {
				t.Errorf("raw: %d rows, want %d", len(got), 8*3)
			}
			if n := len(values(t, server, table, "source")); n == 0 {
				t.Error("the table is empty")
			}
		})
	}
}

// TestCommitsDropped: without its log of commits a process that starts anew
// learns from raw how far it is loaded.
func TestCommitsDropped(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 6))
	must(t, w.Close())
	server.Store().DropTable("sparrow", "positions_log")
	w = strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	marks, err := w.Marks(t.Context())
	must(t, err)
	for _, m := range marks {
		if got := m.Next.Seq; (m.Stream == warehouse.OutcomesStream && got != 6) || (m.Stream == warehouse.EventsStream && m.Next.Before(event.Position{Seq: 5, Index: 3})) {
			t.Errorf("mark %v", m)
		}
	}
	persist(t, w, messages(t, 1, 9))
	checkRows(t, server, 9)
}

// TestColumnMissing: a column that was dropped, or that came with a newer
// release, is added while loading.
func TestColumnMissing(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 4))
	if !server.Store().DropColumn("sparrow", "deliveries", "release") {
		t.Fatal("no such column")
	}
	must(t, w.Close())
	w = strict(t, server, nil)
	persist(t, w, messages(t, 4, 9))
	checkRows(t, server, 9)
}

// TestRefusedRows: a row of 12 MB and one that BigQuery refuses go to
// quarantine; the others of their batch are stored, each once.
func TestRefusedRows(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, func(c *bigquery.Config) { c.MaxRow = 9 * quantity.MiB })
	server.Order(bigquerytest.Fault{Kind: bigquerytest.RowRefused, Method: bigquerytest.AppendRows, Table: "raw", Marker: "poison"})
	server.Order(bigquerytest.Fault{Kind: bigquerytest.RowRefused, Method: bigquerytest.AppendRows, Table: "deliveries", Marker: "venom"})
	b := messages(t, 1, 9)
	b.Raw[2].Data = strings.Repeat("x", 12_000_000)
	b.Raw[7].Data = "poison"
	b.Raw[20].Data = "more poison"
	b.Deliveries[3].Error = "venom"
	persist(t, w, b)
	checkRows(t, server, 9)
	quarantined := values(t, server, "quarantine_log", "receipt")
	if !equal(quarantined, []string{"e1-1-2", "e1-3-1", "e1-7-2"}) {
		t.Errorf("quarantined %v", quarantined)
	}
	data := values(t, server, "raw", "data")
	for _, i := range []int{2, 7, 20} {
		if data[i] != "<nil>" {
			t.Errorf("row %d keeps %.20q", i, data[i])
		}
	}
}

// TestOldRow: a row whose day BigQuery does not take any more is told, and holds
// nothing up.
func TestOldRow(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	b := messages(t, 1, 4)
	b.Raw[4].Timestamp = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	persist(t, w, b)
	checkRows(t, server, 4)
	if got := values(t, server, "quarantine_log", "receipt"); !equal(got, []string{"e1-2-1"}) {
		t.Errorf("quarantined %v", got)
	}
}
