package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a loader between a journal and a warehouse, all in memory.
type bench struct {
	t       *testing.T
	journal *warehousetest.Journal
	store   *memory
	seen    *incidents
	metrics *prometheus.Registry
	loaded  []string // what Loaded was told
	loader  *warehouse.Loader
	stop    context.CancelFunc
	done    chan error
}

func newBench(t *testing.T, change func(*warehouse.Config)) *bench {
	t.Helper()
	b := &bench{
		t: t, journal: warehousetest.NewJournal("e1"), store: newMemory(), seen: &incidents{},
		metrics: prometheus.NewPedanticRegistry(), done: make(chan error, 1),
	}
	config := warehouse.DefaultConfig()
	if change != nil {
		change(&config)
	}
	var err error
	b.loader, err = warehouse.NewLoader(config, warehouse.Options{
		Open: warehousetest.Opened(b.store), Events: b.journal.Events(), Outcomes: b.journal.Outcomes(), Reporter: b.seen, Registerer: b.metrics,
		Loaded: func(events event.Position, outcomes uint64) {
			b.loaded = append(b.loaded, fmt.Sprint(events, " ", outcomes))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) start() {
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	go func() { b.done <- b.loader.Run(ctx) }()
}

// end stops the loader and returns Run's error and how long it took to stop.
func (b *bench) end() (time.Duration, error) {
	from := time.Now()
	b.stop()
	err := <-b.done
	return time.Since(from), err
}

func (b *bench) mustEnd() {
	b.t.Helper()
	if _, err := b.end(); err != nil {
		b.t.Errorf("run: %v", err)
	}
	for _, broken := range b.store.broken {
		b.t.Error(broken)
	}
}

// wait lets the bubble's time pass.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func someRecord(n int) event.Record {
	return event.Record{ReceivedAt: time.Now(), Source: "s", EventID: fmt.Sprint("id", n), Data: fmt.Appendf(nil, `{"event":"e%d","deviceId":"d"}`, n%7)}
}

// appendEvents appends n messages of two records, and a report after each.
func (b *bench) appendEvents(n int) {
	for i := range n {
		seq := b.journal.Append(someRecord(2*i), someRecord(2*i+1))
		b.journal.AddCheckpoint(event.Checkpoint{
			Tracker: "ga4", Watermark: event.Position{Seq: seq + 1},
			Deliveries: []event.Delivery{{Position: event.Position{Seq: seq, Index: 1}, Outcome: event.Delivered}},
		})
	}
}

// expect checks that exactly so many messages are stored, each record once.
func (b *bench) expect(messages int) {
	b.t.Helper()
	b.store.with(func() {
		seen := map[event.Receipt]bool{}
		for _, r := range b.store.raw {
			if seen[r.Receipt] {
				b.t.Errorf("%s is stored twice", r.Receipt)
			}
			seen[r.Receipt] = true
		}
		if len(seen) != 2*messages || len(b.store.deliveries) != messages {
			b.t.Errorf("%d records and %d deliveries, want %d and %d", len(seen), len(b.store.deliveries), 2*messages, messages)
		}
	})
}

func TestLoaderSoonVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.start()
		wait(time.Minute)
		b.appendEvents(1)
		wait(time.Second)
		b.expect(1)
		b.mustEnd()
		if want := "[0-0 0 2-0 2]"; fmt.Sprint(b.loaded) != want {
			t.Errorf("Loaded was told %v, want %s", b.loaded, want)
		}
	})
}

func TestLoaderBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *warehouse.Config) { c.MaxRows, c.MaxBytes = 100, quantity.MiB })
		b.appendEvents(1000)
		b.start()
		wait(time.Second)
		b.expect(1000)
		for range 10 {
			r := someRecord(0)
			r.Data = []byte(`{"event":"big","deviceId":"` + strings.Repeat("d", 1<<19) + `"}`)
			b.journal.Append(r)
		}
		wait(time.Second)
		b.mustEnd()
		for i, n := range b.store.batches {
			if n > 102 {
				t.Errorf("batch %d has %d rows, over maxRows and a message", i, n)
			}
		}
		if big := len(b.store.batches) - 10; big < 5 {
			t.Errorf("%d batches: maxBytes did not end any", len(b.store.batches))
		}
	})
}

// metric is the value of a metric without labels.
func (b *bench) metric(name string) float64 {
	b.t.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	b.t.Fatalf("no metric %s", name)
	return 0
}

// A lane may be ahead of the loader; its reports wait for the events.
func TestLoaderOutcomesWaitForEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		for seq := range uint64(200) { // more than the loader holds back
			b.journal.AddCheckpoint(event.Checkpoint{
				Tracker: "ga4", Epoch: "e1", Watermark: event.Position{Seq: 1},
				Deliveries: []event.Delivery{{Position: event.Position{Seq: seq + 1, Index: 1}, Outcome: event.Delivered}},
			})
		}
		b.start()
		wait(time.Second)
		b.store.with(func() {
			if len(b.store.deliveries) != 0 {
				t.Errorf("%d deliveries were stored before their events", len(b.store.deliveries))
			}
		})
		for range 200 {
			b.journal.Append(someRecord(0), someRecord(1))
		}
		wait(2 * time.Second)
		b.expect(200)
		b.mustEnd()
	})
}

// A report of events that the journal will never have is told, and loaded.
func TestLoaderReportAheadOfJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.appendEvents(1)
		b.journal.AddCheckpoint(event.Checkpoint{Tracker: "ga4", Epoch: "e1", Watermark: event.Position{Seq: 50}})
		b.appendEvents(1)
		b.start()
		wait(time.Minute)
		b.expect(2)
		if n := len(b.seen.of("checkpoint ahead of journal")); n != 1 {
			t.Errorf("told %d times, want once", n)
		}
		b.mustEnd()
	})
}

func TestLoaderEpochs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.start()
		b.appendEvents(20)
		wait(time.Second)
		b.journal.Renew("e2")
		b.appendEvents(5)
		wait(time.Minute)
		b.expect(25)
		b.mustEnd()
		got := map[string]event.Position{}
		for _, m := range b.store.marks {
			got[string(m.Stream)+m.Epoch] = m.Next
		}
		want := map[string]event.Position{"eventse1": {Seq: 21}, "outcomese1": {Seq: 21}, "eventse2": {Seq: 6}, "outcomese2": {Seq: 6}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("marks %v, want %v", got, want)
		}
	})
}

func TestLoaderDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *warehouse.Config) { c.Interval, c.MaxRows = time.Minute, 7 })
		b.start()
		wait(time.Second)
		b.appendEvents(500)
		took, err := b.end()
		if err != nil || took > time.Second {
			t.Errorf("stopped after %s, error %v", took, err)
		}
		b.expect(500)
	})
}

func TestLoaderHasNothingToDrain(t *testing.T) {
	for name, fill := range map[string]func(*bench){
		"no events":          func(*bench) {},
		"events, no reports": func(b *bench) { b.journal.Append(someRecord(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				fill(b)
				b.start()
				wait(5 * time.Second)
				if took, err := b.end(); err != nil || took > time.Second {
					t.Errorf("stopped after %s, error %v", took, err)
				}
			})
		})
	}
}

func TestLoaderTellsOfAnotherJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		restart := func(want int) {
			t.Helper()
			b.start()
			b.appendEvents(3)
			wait(10 * time.Second)
			b.mustEnd()
			if got := len(b.seen.of("new epoch")); got != want {
				t.Errorf("told %d times of another journal, want %d", got, want)
			}
		}
		restart(0) // the first journal of an empty warehouse
		restart(0)
		b.journal.Renew("e2")
		restart(1)
		restart(1) // it is known now
	})
}

func TestLoaderStopsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *warehouse.Config) { c.Drain = 3 * time.Second })
		b.start()
		wait(time.Second)
		b.store.with(func() { b.store.fail = func() error { return errors.New("away") } })
		b.appendEvents(5)
		wait(time.Minute)
		if took, err := b.end(); err != nil || took > 3*time.Second {
			t.Errorf("stopped after %s, error %v; want within 3s", took, err)
		}
	})
}

func TestLoaderPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		applied, tries := "", 0
		b.store.views = func(c []warehouse.Column) error {
			tries++
			switch {
			case tries < 3:
				return errors.New("away")
			case len(c) == 0:
				return fault.Permanent(errors.New("no columns"))
			}
			applied = c[0].Name
			return nil
		}
		b.start()
		b.loader.SetPlan(warehouse.Plan{Version: "v1", Columns: []warehouse.Column{{Name: "a"}}})
		wait(time.Minute)
		b.store.with(func() {
			if applied != "a" || tries != 3 || len(b.store.plans) != 3 {
				t.Errorf("applied %q after %d tries, plans %v", applied, tries, b.store.plans)
			}
		})
		b.loader.SetPlan(warehouse.Plan{Version: "v2"})
		wait(time.Hour)
		b.store.with(func() {
			if tries != 4 || applied != "a" {
				t.Errorf("a plan that can never be applied was tried %d times", tries-3)
			}
		})
		b.mustEnd()
	})
}

func TestLoaderRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *warehouse.Config) { c.Retention = 48 * time.Hour })
		b.start()
		wait(150 * time.Minute)
		b.mustEnd()
		if len(b.store.expired) != 3 {
			t.Fatalf("expired %d times in two and a half hours, want 3", len(b.store.expired))
		}
		if want := warehouse.Day(time.Now().Add(-48 * time.Hour)); !b.store.expired[0].Equal(want) {
			t.Errorf("expired before %s, want %s", b.store.expired[0], want)
		}
	})
}

// TestLogsAreCompactedWhateverTheRetention: every hour, also when rows are kept for good.
func TestLogsAreCompactedWhateverTheRetention(t *testing.T) {
	for _, retention := range []time.Duration{0, 48 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, func(c *warehouse.Config) { c.Retention = retention })
			b.start()
			wait(150 * time.Minute)
			b.mustEnd()
			if b.store.compacted != 3 || (retention == 0) != (len(b.store.expired) == 0) {
				t.Errorf("retention %s: compacted %d times in two and a half hours, want 3; expired %d times", retention, b.store.compacted, len(b.store.expired))
			}
		})
	}
}

func TestLoaderWaitsForAWarehouseThatCannotBeOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, attempts := newMemory(), 0
		journal := warehousetest.NewJournal("e1")
		loader, err := warehouse.NewLoader(warehouse.DefaultConfig(), warehouse.Options{
			Events: journal.Events(), Outcomes: journal.Outcomes(),
			Open: func(context.Context) (warehouse.Warehouse, error) {
				if attempts++; attempts < 3 {
					return nil, errors.New("another process has the file")
				}
				return store, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- loader.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil || attempts != 3 {
			t.Errorf("Run returned %v after %d attempts to open", err, attempts)
		}
	})
}
