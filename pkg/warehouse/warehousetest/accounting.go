package warehousetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Opened is what warehouse.Options.Open needs for a warehouse that is open.
func Opened(w warehouse.Warehouse) func(context.Context) (warehouse.Warehouse, error) {
	return func(context.Context) (warehouse.Warehouse, error) { return w, nil }
}

// carry has a loader load all that a journal holds.
func carry(t testing.TB, w warehouse.Warehouse, j *Journal) {
	t.Helper()
	carryBatches(t, w, j, 97, time.Millisecond)
}

// carryBatches is carry with batches of so many rows, or of what comes within the
// interval.
func carryBatches(t testing.TB, w warehouse.Warehouse, j *Journal, rows int, interval time.Duration) {
	t.Helper()
	config := warehouse.DefaultConfig()
	config.MaxRows, config.Interval, config.Retention, config.Drain = rows, interval, 0, time.Minute
	events, outcomes := j.ends()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	l, err := warehouse.NewLoader(config, warehouse.Options{
		Open: Opened(w), Events: j.Events(), Outcomes: j.Outcomes(),
		Loaded: func(e event.Position, o uint64) {
			if !e.Before(events) && o >= outcomes {
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatalf("new loader: %v", err)
	}
	if err := l.Run(ctx); err != nil {
		t.Fatalf("run loader: %v", err)
	}
	if ctx.Err() == context.DeadlineExceeded {
		t.Fatal("the loader did not load the journal in fifteen minutes")
	}
}

const reconcile = `select day, source, event, tracker, accepted, duplicate, delivered, filtered, rejected, expired, uncertain, pending, unaccounted
	from reconciliation`

// checkReconciliation: the view agrees with the model, for random histories.
func checkReconciliation(t testing.TB, h Harness) {
	for seed := range uint64(cmp.Or(h.Histories, 5)) {
		w := prepared(t, h)
		past := newHistory(seed, epoch, 60)
		carry(t, w, past.journal)
		var got, want []string
		for _, row := range ask(t, w, reconcile) {
			got = append(got, fmt.Sprint(row...))
		}
		for key, n := range past.expected {
			o := n.outcomes
			want = append(want, fmt.Sprint(key.day, key.source, key.event, key.tracker, n.accepted, n.duplicate, o[event.Delivered], o[event.Filtered],
				o[event.Rejected], o[event.Expired], o[event.Uncertain], n.pending, 0))
		}
		got, want = despaced(got), despaced(want)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s", seed, difference(got, want))
		}
		sameSums(t, w)
		same(t, "drift out of range", number(t, w, "select count(*) from reconciliation where drift < 0 or drift > 1"), 0)
		last := fmt.Sprintf("%s-%d-0", epoch, len(past.journal.batches)+1)
		same(t, "asOfPosition", ask(t, w, "select distinct asOfPosition from reconciliation"), [][]any{{last}})
		if err := w.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
}

// sameSums: where sums are kept they agree with the rows, for every day that has some.
func sameSums(t testing.TB, w warehouse.Warehouse) {
	t.Helper()
	keeper, ok := w.(warehouse.SumKeeper)
	if !ok {
		return
	}
	days, err := keeper.SumDays(t.Context())
	if err != nil {
		t.Fatalf("sum days: %v", err)
	}
	same(t, "days with sums", len(days), number(t, w, "select count(distinct day) from raw"))
	for _, day := range days {
		differences, err := keeper.VerifySums(t.Context(), day)
		if err != nil {
			t.Fatalf("verify sums: %v", err)
		}
		if len(differences) > 0 {
			t.Errorf("the sums of %s differ from the rows %d times, first %+v", day.Format(time.DateOnly), len(differences), differences[0])
		}
	}
}

// despaced sorts lines, without blanks: fmt.Sprint puts them by type.
func despaced(lines []string) []string {
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], " ", "")
	}
	slices.Sort(lines)
	return lines
}

// difference lists the first lines that only one side has.
func difference(got, want []string) string {
	var b strings.Builder
	for _, side := range []struct {
		title      string
		have, lack []string
	}{{"not expected", got, want}, {"missing", want, got}} {
		n := 0
		for _, line := range side.have {
			if !slices.Contains(side.lack, line) && n < 10 {
				fmt.Fprintf(&b, "\n%s: %s", side.title, line)
				n++
			}
		}
	}
	return b.String()
}

// checkLostEvent: an event that a lane passed without a word is unaccounted,
// and one with two outcomes is too.
func checkLostEvent(t testing.TB, h Harness) {
	w := prepared(t, h)
	j := NewJournal(epoch)
	j.Append(record(event.Receipt{}, `{"event":"lost","deviceId":"d"}`), record(event.Receipt{}, `{"event":"twice","deviceId":"d"}`))
	sent := func(index uint32) event.Delivery {
		return event.Delivery{Position: event.Position{Seq: 1, Index: index}, Outcome: event.Delivered, Time: day(), Day: day()}
	}
	j.AddCheckpoint(event.Checkpoint{Tracker: "ga4", Watermark: event.Position{Seq: 2}, Deliveries: []event.Delivery{sent(1), sent(1)}})
	carry(t, w, j)
	same(t, "unaccounted", ask(t, w, `select event, accepted, delivered, pending, unaccounted, drift, open from reconciliation order by event`),
		[][]any{{"lost", 1, 0, 0, 1, "1.0", false}, {"twice", 1, 2, 0, -1, "-1.0", false}})
	sameSums(t, w)
}

// checkBrowserLosses: what a browser reports as lost is a row of its own, once
// for each report, and a count that nobody can believe is none.
func checkBrowserLosses(t testing.TB, h Harness) {
	w := prepared(t, h)
	j := NewJournal(epoch)
	told := func(properties string) event.Record {
		return record(event.Receipt{}, fmt.Sprintf(`{"event":"sparrow:lost","deviceId":"d","properties":%s}`, properties))
	}
	again := told(`{"count":3}`)
	again.Duplicate = true
	j.Append(told(`{"count":3}`), again, told(`{"count":4}`), told(`{"count":-9}`), told(`{"count":1e15}`), told(`{"count":"x"}`), told(`{}`))
	j.AddCheckpoint(event.Checkpoint{Tracker: "ga4", Watermark: event.Position{Seq: 2}})
	carry(t, w, j)
	same(t, "lost", ask(t, w, `select event, tracker, accepted, unaccounted, lost from reconciliation where lost <> 0`),
		[][]any{{"sparrow:lost", "(browser)", 0, 0, 7}})
	sameSums(t, w)
}

// checkReplacedJournal: what waited in a journal that another one has replaced
// is expired, what waits in the new one is pending.
func checkReplacedJournal(t testing.TB, h Harness) {
	w := prepared(t, h)
	j := NewJournal(epoch)
	named := func(name string) event.Record {
		return record(event.Receipt{}, fmt.Sprintf(`{"event":%q,"deviceId":"d"}`, name))
	}
	sums := func() [][]any {
		return ask(t, w, `select event, accepted, delivered, expired, pending, unaccounted from reconciliation order by event`)
	}
	j.Append(named("sent"), named("parked"), named("ahead"))
	j.AddCheckpoint(event.Checkpoint{
		Tracker: "ga4", Start: event.Position{Seq: 1}, Watermark: event.Position{Seq: 1, Index: 2},
		Deliveries: []event.Delivery{{Position: event.Position{Seq: 1}, Outcome: event.Delivered, Time: day(), Day: day()}},
		Parked:     []event.Parked{{Position: event.Position{Seq: 1, Index: 1}, Due: day(), Since: day(), Attempts: 1}},
	})
	carry(t, w, j)
	same(t, "before", sums(), [][]any{{"ahead", 1, 0, 0, 1, 0}, {"parked", 1, 0, 0, 1, 0}, {"sent", 1, 1, 0, 0, 0}})

	j.Renew("another")
	j.Append(named("new"))
	j.AddCheckpoint(event.Checkpoint{Tracker: "ga4", Start: event.Position{Seq: 1}, Watermark: event.Position{Seq: 1}})
	carry(t, w, j)
	same(t, "after", sums(), [][]any{{"ahead", 1, 0, 1, 0, 0}, {"new", 1, 0, 0, 1, 0}, {"parked", 1, 0, 1, 0, 0}, {"sent", 1, 1, 0, 0, 0}})
	sameSums(t, w)
}

// checkNamesOverflow: names beyond the first 1,000 of a source and day share a
// count, in the view as in what lanes counted.
func checkNamesOverflow(t testing.TB, h Harness) {
	w := prepared(t, h)
	j := NewJournal(epoch)
	const names = warehouse.MaxNames + 50
	for round := range 2 { // the second time, those that came last come first
		var records []event.Record
		report := event.Checkpoint{Tracker: "ga4", Watermark: event.Position{Seq: uint64(round) + 2}}
		for i := range names {
			name := fmt.Sprintf("event %d", i+round*(names-1-2*i))
			records = append(records, record(event.Receipt{}, fmt.Sprintf(`{"event":%q,"deviceId":"d"}`, name)))
			report.Filtered = append(report.Filtered, event.FilteredCount{Day: day(), Source: "shop", Event: name, Reason: "event not in plan", Count: 1})
		}
		j.Append(records...)
		j.AddCheckpoint(report)
		if round == 0 {
			carry(t, w, j) // the second loader knows the names from the warehouse
		}
	}
	carry(t, w, j)
	same(t, "names", number(t, w, "select count(*) from names"), warehouse.MaxNames)
	same(t, "rows", number(t, w, "select count(*) from reconciliation"), warehouse.MaxNames+1)
	same(t, "other", ask(t, w, "select accepted, filtered, unaccounted from reconciliation where event = '(other)'"), [][]any{{100, 100, 0}})
	same(t, "unaccounted", number(t, w, "select count(*) from reconciliation where unaccounted <> 0 or accepted <> filtered"), 0)
	same(t, "normalized keeps the name", number(t, w, fmt.Sprintf("select count(*) from raw_normalized where event = 'event %d'", names-1)), 2)
	sameSums(t, w)
}

// checkFind: an event and its way, by its id and by its receipt.
func checkFind(t testing.TB, h Harness) {
	w := prepared(t, h)
	load(t, w, span2batch(t, 1, 4))
	b := &warehouse.Batch{Outcomes: warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: 20}}}
	again := event.Delivery{Position: event.Position{Seq: 3}, EventID: "x", Outcome: event.Rejected, Reason: "invalid", Status: 400, Error: "no", Attempts: 2,
		Time: day(), Day: day(), Latency: 5 * time.Millisecond}
	b.AddCheckpoint(10, &event.Checkpoint{Tracker: "ga4", Epoch: epoch, Run: 1, Plan: "p2", Watermark: event.Position{Seq: 4}, Deliveries: []event.Delivery{again}})
	b.AddCheckpoint(11, &event.Checkpoint{Tracker: "late", Epoch: epoch, Start: event.Position{Seq: 3, Index: 1}, Watermark: event.Position{Seq: 3, Index: 2}})
	b.AddCheckpoint(12, &event.Checkpoint{Tracker: "gone", Epoch: epoch, Watermark: event.Position{Seq: 2}, Removed: true,
		Gaps: []event.Gap{{From: event.Position{Seq: 1, Index: 1}, To: event.Position{Seq: 1, Index: 2}}}})
	load(t, w, b)
	states := func(id string) string {
		found, err := warehouse.Find(t.Context(), w, id)
		if err != nil || len(found) != 1 {
			t.Fatalf("find %s: %d records, error %v", id, len(found), err)
		}
		var list []string
		for _, lane := range found[0].Lanes {
			list = append(list, fmt.Sprintf("%s %s", lane.Tracker, lane.State))
		}
		return strings.Join(list, ", ")
	}
	same(t, "first", states("e1-1-0"), "ga4 delivered, gone held, late before start")
	same(t, "expired", states("e1-1-1"), "ga4 held, gone expired, late before start")
	same(t, "replayed", states("id-e1-3-0"), "ga4 rejected, gone after end, late before start")
	same(t, "held", states("e1-3-1"), "ga4 held, gone after end, late held")
	same(t, "parked", states("e1-3-2"), "ga4 parked, gone after end, late pending")
	found, err := warehouse.Find(t.Context(), w, "id-e1-3-0")
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	f := found[0]
	same(t, "record", []any{f.Receipt, f.EventID, f.Timestamp.Equal(day().Add(time.Hour)), f.Data, f.Source, f.Duplicate},
		[]any{"e1-3-0", "id-e1-3-0", true, `{"event":"buy","deviceId":"d","n":3}`, "shop", false})
	same(t, "deliveries", len(f.Lanes[0].Deliveries), 2)
	same(t, "last delivery", f.Lanes[0].Deliveries[0], warehouse.FoundDelivery{Run: 1, Plan: "p2", Delivery: again})
	none, err := warehouse.Find(t.Context(), w, "'; drop table raw; --")
	if err != nil || len(none) != 0 {
		t.Errorf("find of no one's id: %v, %v", none, err)
	}
}
