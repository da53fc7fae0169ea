package bigquery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
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
		Events:   warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: epoch, Next: event.Position{Seq: next}},
		Outcomes: warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: next}},
		Names:    []warehouse.NameRow{{Day: day, Source: "shop", Event: "buy"}},
	}
	for seq := first; seq < next; seq++ {
		report := event.Checkpoint{Tracker: "ga4", Epoch: epoch, Time: day, Watermark: event.Position{Seq: seq + 1},
			Filtered: []event.FilteredCount{{Day: day, Source: "shop", Event: "buy", Reason: "consent", Count: 1}},
			Leaks:    []event.Leak{{Day: day, Source: "shop", Event: "buy", Property: "note", Kind: "email", Count: 1}}}
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
		b.AddCheckpoint(seq, &report)
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

// checkSums is checkRows, and the changes of the sums in the log of commits add up
// to what the rows say: each is there once.
func checkSums(t testing.TB, server *bigquerytest.Server, next uint64) {
	t.Helper()
	checkRows(t, server, next)
	got := map[string]int{}
	for row, err := range server.Store().Rows("sparrow", "positions_log") {
		must(t, err)
		var changes [][7]any
		if encoded, ok := row.Values["sums"].(string); ok {
			must(t, json.Unmarshal([]byte(encoded), &changes))
		}
		for _, c := range changes {
			if c[4] == "first" {
				continue // where the day begins
			}
			got[fmt.Sprint(c[1:6]...)] += int(c[6].(float64))
		}
	}
	messages := int(next - 1)
	if want := map[string]int{"shopbuyga4accepted": 3 * messages, "shopbuyga4delivered": 2 * messages}; !maps.Equal(got, want) {
		t.Errorf("the sums are %v, want %v", got, want)
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

// patience is how long a batch is tried.
const patience = 30 * time.Second

// persist loads a batch as the loader does: until it succeeds.
func persist(t testing.TB, w warehouse.Warehouse, b *warehouse.Batch) (failures []error) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); time.Since(begun) < patience; <-tick.C {
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
	}
	t.Fatalf("the batch was never loaded: %v", failures[len(failures)-1])
	return nil
}
