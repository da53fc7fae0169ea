package warehouse_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

func TestLoaderWarehouseAway(t *testing.T) {
	for name, failAfter := range map[string]bool{"nothing stored": false, "stored but not told": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				away := errors.New("away")
				back := time.Now().Add(time.Hour)
				fail := func() error {
					if time.Now().Before(back) {
						return away
					}
					return nil
				}
				b.start()
				wait(time.Second)
				b.store.with(func() {
					if failAfter {
						b.store.after = fail
					} else {
						b.store.fail = fail
					}
				})
				b.appendEvents(50)
				wait(30 * time.Minute)
				if lag := b.metric("sparrow_warehouse_lag_seconds"); lag < 1700 {
					t.Errorf("lag is %v seconds after half an hour", lag)
				}
				if lag := b.metric("sparrow_warehouse_lag_messages"); lag != 50 {
					t.Errorf("lag is %v messages, want 50", lag)
				}
				wait(31 * time.Minute)
				b.expect(50)
				tries := len(b.seen.of("warehouse away"))
				if tries < 60 || tries > 300 {
					t.Errorf("%d tries in an hour: the back-off is too short or too long", tries)
				}
				in := b.seen.of("warehouse away")[2]
				if in.Attempt != 3 || !errors.Is(in.Err, away) || len(in.Receipts) != 10 || in.Component != "loader" {
					t.Errorf("incident %+v", in)
				}
				if lag := b.metric("sparrow_warehouse_lag_seconds"); lag != 0 {
					t.Errorf("lag is %v seconds when all is loaded", lag)
				}
				b.mustEnd()
			})
		})
	}
}

func TestLoaderAwayAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.store.fail = func() error { return errors.New("away") }
		b.appendEvents(3)
		b.start()
		wait(time.Hour)
		if lag := b.metric("sparrow_warehouse_lag_seconds"); lag < 3500 {
			t.Errorf("lag is %v seconds after an hour", lag)
		}
		if lag := b.metric("sparrow_warehouse_lag_messages"); lag != 3 {
			t.Errorf("lag is %v messages, want 3", lag)
		}
		b.store.with(func() { b.store.fail = func() error { return nil } })
		wait(time.Minute)
		b.expect(3)
		b.mustEnd()
	})
}

func TestLoaderRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.start()
		wait(time.Second)
		b.store.with(func() { b.store.after = func() error { return fault.After(errors.New("quota"), 10*time.Minute) } })
		b.appendEvents(1)
		wait(9 * time.Minute)
		b.store.with(func() {
			if b.store.loads != 1 {
				t.Errorf("%d tries within the time it was told to wait", b.store.loads)
			}
			b.store.after = func() error { return nil }
		})
		wait(2 * time.Minute)
		b.expect(1)
		b.mustEnd()
	})
}

func TestLoaderOtherJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.appendEvents(3)
		b.store.marks = []warehouse.StreamPosition{{Stream: warehouse.EventsStream, Epoch: "e1", Next: event.Position{Seq: 9}}}
		b.start()
		if err := <-b.done; !errors.Is(err, warehouse.ErrOtherJournal) {
			t.Errorf("run: %v, want ErrOtherJournal", err)
		}
		b.stop()
		if len(b.store.raw) != 0 || len(b.seen.of("other journal")) != 1 {
			t.Errorf("%d rows stored, %d incidents", len(b.store.raw), len(b.seen.of("other journal")))
		}
	})
}

func TestLoaderQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.store.refuse = func(r warehouse.RawRow) string {
			return map[bool]string{true: "too strange"}[r.EventID == "id5" || r.EventID == "id8"]
		}
		b.start()
		b.appendEvents(10)
		wait(time.Second)
		b.expect(10)
		refused := 0
		for _, r := range b.store.raw {
			if r.Refused == "too strange" {
				refused++
			}
		}
		in := b.seen.of("quarantine")
		if refused != 2 || len(in) != 1 || fmt.Sprint(in[0].Receipts) != "[e1-3-1 e1-5-0]" {
			t.Errorf("%d rows refused; incidents %+v", refused, in)
		}
		if n := b.metric("sparrow_warehouse_quarantined_rows_total"); n != 2 {
			t.Errorf("metric says %v rows", n)
		}
		b.mustEnd()
	})
}

// Rows that cannot be typed are stored all the same, counted, and reported once an
// hour at most.
func TestLoaderRowsThatCannotBeTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.store.typing = func(r warehouse.RawRow) warehouse.Typing {
			return map[bool]warehouse.Typing{true: warehouse.TypedCore}[strings.HasSuffix(r.EventID, "5")]
		}
		b.start()
		for range 6 {
			b.appendEvents(10)
			wait(15 * time.Minute)
		}
		b.expect(60)
		typings := map[warehouse.Typing]int{}
		for _, r := range b.store.raw {
			typings[r.Typing]++
		}
		if typings[warehouse.TypedCore] != 12 || typings[warehouse.TypedFully] != 108 {
			t.Errorf("rows by typing: %v", typings)
		}
		in := b.seen.of("typed events")
		if len(in) != 2 || len(in[0].Receipts) != 2 || !strings.Contains(in[0].Err.Error(), "2 events") || !strings.Contains(in[1].Err.Error(), "8 events") {
			t.Errorf("incidents %+v", in)
		}
		if n := b.metric("sparrow_warehouse_untyped_rows_total"); n != 12 {
			t.Errorf("metric says %v rows", n)
		}
		if len(b.seen.of("quarantine"))+len(b.seen.of("warehouse away")) != 0 {
			t.Error("it was reported as something else, too")
		}
		b.mustEnd()
	})
}

func TestLoaderJournalAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.start()
		b.appendEvents(5)
		wait(time.Second)
		b.journal.Fail(errors.New("journal away"))
		wait(10 * time.Minute)
		b.journal.Fail(nil)
		b.appendEvents(5)
		wait(time.Minute)
		b.expect(10)
		if len(b.seen.of("read events")) == 0 || len(b.seen.of("read outcomes")) == 0 {
			t.Error("nobody was told that the journal was away")
		}
		b.mustEnd()
	})
}

func TestLoaderGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.start()
		b.journal.Lose(3)
		b.appendEvents(2)
		wait(time.Second)
		if n := b.metric("sparrow_warehouse_lost_messages_total"); n != 3 || len(b.seen.of("journal gap")) != 1 {
			t.Errorf("metric says %v, %d incidents", n, len(b.seen.of("journal gap")))
		}
		b.expect(2)
		b.mustEnd()
	})
}
