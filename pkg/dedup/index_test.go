package dedup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

const day = 24 * time.Hour

func TestDefinition(t *testing.T) {
	malformed := record("shop", "a", day)
	malformed.Context.Malformed = "not JSON"
	for name, c := range map[string]struct {
		messages [][]event.Record
		want     [][]bool
	}{
		"the first is original":            {[][]event.Record{{record("shop", "a", 0)}, {record("shop", "a", day)}}, [][]bool{{false}, {true}}},
		"within one message":               {[][]event.Record{{record("shop", "a", 0), record("shop", "b", 0), record("shop", "a", 0)}}, [][]bool{{false, false, true}}},
		"another source":                   {[][]event.Record{{record("shop", "a", 0)}, {record("app", "a", 0)}}, [][]bool{{false}, {false}}},
		"no mix of source and id":          {[][]event.Record{{record("shop", "1a", 0)}, {record("shop1", "a", 0)}}, [][]bool{{false}, {false}}},
		"at the window's edge":             {[][]event.Record{{record("shop", "a", 0)}, {record("shop", "a", 7*day)}}, [][]bool{{false}, {true}}},
		"beyond the window":                {[][]event.Record{{record("shop", "a", 0)}, {record("shop", "a", 7*day+time.Microsecond)}, {record("shop", "a", 14*day)}}, [][]bool{{false}, {false}, {true}}},
		"counted from the original":        {[][]event.Record{{record("shop", "a", 0)}, {record("shop", "a", 6*day)}, {record("shop", "a", 8*day)}}, [][]bool{{false}, {true}, {false}}},
		"clocks out of order":              {[][]event.Record{{record("shop", "a", time.Hour)}, {record("shop", "a", 0)}}, [][]bool{{false}, {true}}},
		"malformed":                        {[][]event.Record{{record("shop", "a", 0)}, {malformed}}, [][]bool{{false}, {false}}},
		"beyond the window in one message": {[][]event.Record{{record("shop", "a", 0), record("shop", "a", 8*day), record("shop", "a", 9*day)}}, [][]bool{{false, false, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal("e1")
			index, _ := open(t, t.TempDir(), dedup.DefaultConfig(), dedup.Options{}, j)
			var got [][]bool
			for _, message := range c.messages {
				got = append(got, marks(t, index, j.add(message...)))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("duplicates (-want +got):\n%s", diff)
			}
		})
	}
}

// history adds random messages: few ids, so that many repeat; clocks a little out of order.
func history(j *journal, random *rand.Rand, messages int, step time.Duration) []event.Batch {
	var list []event.Batch
	for range messages {
		records := make([]event.Record, 1+random.IntN(20))
		for n := range records {
			id := fmt.Sprintf("id-%d", random.IntN(400))
			at := time.Duration(len(j.batches))*step + time.Duration(random.Int64N(int64(step)))
			records[n] = record([]string{"shop", "app"}[random.IntN(2)], id, at)
			if random.IntN(50) == 0 {
				records[n].Context.Malformed = "not JSON"
			}
		}
		list = append(list, j.add(records...))
	}
	return list
}

func TestAgreesWithTheDefinition(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			j := newJournal("e1")
			config := dedup.DefaultConfig()
			config.Window = time.Duration(1+random.IntN(200)) * time.Minute
			m := newModel(config.Window)
			dir := t.TempDir()
			var all []event.Batch
			var want [][]bool
			for range 1 + random.IntN(4) { // restarts
				index, stop := open(t, dir, config, dedup.Options{}, j)
				for _, b := range history(j, random, 100, time.Minute) {
					all, want = append(all, b), append(want, m.flags(b))
				}
				for range 150 { // asked in any order, again and again
					n := random.IntN(len(all))
					if diff := cmp.Diff(want[n], marks(t, index, all[n])); diff != "" {
						t.Fatalf("message %d (-want +got):\n%s", n+1, diff)
					}
				}
				stop()
			}
			index, _ := open(t, dir, config, dedup.Options{}, j)
			rebuilt, _ := open(t, t.TempDir(), config, dedup.Options{}, j)
			for n, b := range all {
				if diff := cmp.Diff(want[n], marks(t, index, b)); diff != "" {
					t.Fatalf("message %d at the end (-want +got):\n%s", n+1, diff)
				}
				if diff := cmp.Diff(want[n], marks(t, rebuilt, b)); diff != "" {
					t.Fatalf("message %d rebuilt (-want +got):\n%s", n+1, diff)
				}
			}
		})
	}
}

func TestMarkWaitsForTheFollower(t *testing.T) {
	j := newJournal("e1")
	b := j.add(record("shop", "a", 0), record("shop", "a", 0))
	index, err := dedup.Open(t.TempDir(), dedup.DefaultConfig(), dedup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := index.FlagDuplicates(over, b.Records); !errors.Is(err, context.Canceled) {
		t.Errorf("FlagDuplicates without a follower = %v, want the context's error", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- index.FlagDuplicates(t.Context(), b.Records) }()
	following, end := context.WithCancel(t.Context())
	running := make(chan error, 1)
	go func() { running <- index.Run(following, j) }()
	if err := <-waiting; err != nil || b.Records[0].Duplicate || !b.Records[1].Duplicate {
		t.Errorf("FlagDuplicates = %v, flags %t %t", err, b.Records[0].Duplicate, b.Records[1].Duplicate)
	}
	if got := index.Applied(); got != b.Next {
		t.Errorf("Applied = %s, want %s", got, b.Next)
	}
	end()
	if err := <-running; err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := index.Durable(); got != b.Next {
		t.Errorf("Durable after Run = %s, want %s", got, b.Next)
	}
	go func() {
		waiting <- index.FlagDuplicates(t.Context(), []event.Record{{Receipt: event.Receipt{Epoch: "e1", Position: b.Next}}})
	}()
	if err := index.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; !errors.Is(err, dedup.ErrClosed) {
		t.Errorf("FlagDuplicates of a closed index = %v, want ErrClosed", err)
	}
	if err := errors.Join(index.Close(), index.FlagDuplicates(t.Context(), nil)); err != nil {
		t.Error(err)
	}
}

func TestMarkRefusesDisorder(t *testing.T) {
	j := newJournal("e1")
	b := j.add(record("shop", "a", 0), record("shop", "b", 0))
	index, _ := open(t, t.TempDir(), dedup.DefaultConfig(), dedup.Options{}, j)
	for name, records := range map[string][]event.Record{
		"descending":   {b.Records[1], b.Records[0]},
		"twice":        {b.Records[0], b.Records[0]},
		"other epochs": {b.Records[0], {Receipt: event.Receipt{Epoch: "e2", Position: event.Position{Seq: 9}}}},
	} {
		if err := index.FlagDuplicates(t.Context(), records); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTrim(t *testing.T) {
	j := newJournal("e1")
	dir := t.TempDir()
	index, stop := open(t, dir, dedup.DefaultConfig(), dedup.Options{}, j)
	a := j.add(record("shop", "a", 0))
	b := j.add(record("shop", "a", 0), record("shop", "a", 0))
	marks(t, index, b)
	if err := errors.Join(index.Trim(b.Next), index.Trim(a.Next), index.Trim(event.Position{Seq: 99})); err != nil {
		t.Fatal(err)
	}
	if err := index.FlagDuplicates(t.Context(), b.Records); !errors.Is(err, dedup.ErrTrimmed) {
		t.Errorf("FlagDuplicates below the trimmed position = %v, want ErrTrimmed", err)
	}
	stop()
	index, _ = open(t, dir, dedup.DefaultConfig(), dedup.Options{}, j)
	if got := marks(t, index, j.add(record("shop", "a", day))); !got[0] {
		t.Error("trimming flags forgot an original")
	}
	if err := index.FlagDuplicates(t.Context(), a.Records); !errors.Is(err, dedup.ErrTrimmed) {
		t.Errorf("FlagDuplicates after a restart = %v, want ErrTrimmed", err)
	}
}

func TestSourceTrouble(t *testing.T) {
	seen := &incidents{}
	j := newJournal("e1")
	j.broken = 2
	b := j.add(record("shop", "a", 0), record("shop", "a", 0))
	index, _ := open(t, t.TempDir(), dedup.DefaultConfig(), dedup.Options{Reporter: seen}, j)
	if got := marks(t, index, b); got[0] || !got[1] {
		t.Errorf("flags %v", got)
	}
	if n := seen.classes()["follow journal"]; n != 2 {
		t.Errorf("%d incidents of a failing journal, want 2", n)
	}
}

func TestGapIsTold(t *testing.T) {
	seen := &incidents{}
	j := newJournal("e1")
	dir := t.TempDir()
	index, stop := open(t, dir, dedup.DefaultConfig(), dedup.Options{Reporter: seen}, j)
	marks(t, index, j.add(record("shop", "a", 0)))
	stop()
	j.add(record("shop", "b", 0))
	b := j.add(record("shop", "a", 0), record("shop", "b", 0))
	j.first = 3
	index, stop = open(t, dir, dedup.DefaultConfig(), dedup.Options{Reporter: seen}, j)
	if got := marks(t, index, b); !got[0] || got[1] {
		t.Errorf("flags %v", got)
	}
	stop() // the incident comes after the flags
	if n := seen.classes()["gap in journal"]; n != 1 {
		t.Errorf("the gap is reported %d times, want once", n)
	}
}

func TestByteBudget(t *testing.T) {
	seen := &incidents{}
	registry := prometheus.NewPedanticRegistry()
	config := dedup.Config{Window: 1000 * time.Hour, MaxBytes: 8 * quantity.MiB}
	j := newJournal("e1")
	index, stop := open(t, t.TempDir(), config, dedup.Options{Reporter: seen, Registerer: registry}, j)
	old := j.add(record("shop", "old", 0))
	const hours = 300
	for n := range hours {
		records := make([]event.Record, 1000)
		for k := range records {
			records[k] = record("shop", fmt.Sprintf("id-%d-%d", n, k), time.Duration(n)*time.Hour)
		}
		j.add(records...)
	}
	// Two flushes' worth is applied: the budget was looked at twice.
	again := j.add(record("shop", fmt.Sprintf("id-%d-7", hours-1), hours*time.Hour), record("shop", "old", hours*time.Hour))
	if got := marks(t, index, again); !got[0] || got[1] {
		t.Errorf("a repeat of the newest is %t, of the oldest %t; want true, false", got[0], got[1])
	}
	if got := marks(t, index, old); got[0] {
		t.Error("an original became a duplicate")
	}
	stop()
	values := gauges(t, registry)
	if got := values["sparrow_dedup_disk_bytes"]; got > float64(config.MaxBytes) || got < float64(config.MaxBytes)/4 {
		t.Errorf("%v bytes on disk, want at most %d and not next to nothing", got, config.MaxBytes)
	}
	if window := values["sparrow_dedup_effective_window_seconds"]; window <= 0 || window > hours*3600 {
		t.Errorf("effective window %v s, want some, less than %v", window, hours*3600)
	}
	if n := seen.classes()["window shortened"]; n != 1 {
		t.Errorf("the shortened window is reported %d times, want once", n)
	}
}

func gauges(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			values[family.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	j := newJournal("e1")
	index, stop := open(t, t.TempDir(), dedup.DefaultConfig(), dedup.Options{Registerer: registry}, j)
	for n := range 300 {
		source := fmt.Sprintf("source-%d", n)
		marks(t, index, j.add(record(source, "a", 0), record(source, "a", 0)))
	}
	stop()
	values := gauges(t, registry)
	if values["sparrow_dedup_applied_records_total"] != 600 || values["sparrow_dedup_duplicates_total"] != 300 || values["sparrow_dedup_entries"] != 300 ||
		values["sparrow_dedup_effective_window_seconds"] != (7*day).Seconds() {
		t.Errorf("metrics %v", values)
	}
	families, _ := registry.Gather()
	for _, family := range families {
		if family.GetName() == "sparrow_dedup_duplicates_total" && len(family.GetMetric()) > 129 {
			t.Errorf("%d series of duplicates", len(family.GetMetric()))
		}
	}
}

func TestConfigCheck(t *testing.T) {
	for key, config := range map[string]dedup.Config{
		"window":   {Window: time.Millisecond, MaxBytes: quantity.GiB},
		"maxBytes": {Window: time.Hour, MaxBytes: quantity.MiB},
		"":         dedup.DefaultConfig(),
	} {
		err := config.Check()
		if (err == nil) != (key == "") || err != nil && !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("Check of a bad %q = %v", key, err)
		}
		if key == "" {
			continue
		}
		if _, err := dedup.Open(t.TempDir(), config, dedup.Options{}); err == nil {
			t.Errorf("opened with a bad %s", key)
		}
	}
}
