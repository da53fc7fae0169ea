package delivery_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

func repeat(name string, n int) []string { return slices.Repeat([]string{name}, n) }

// A user who sends more than the vendor takes waits for the next minutes; the
// others do not wait for him.
func TestAnIdentityIsHeldToItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true)
		w.tracker.each, w.traits.MaxBatch, w.traits.IdentityRate = 50, 50, 10
		w.traits.Identity = func(e *event.Event) string { return e.Name }
		w.journal.add(slices.Concat(repeat("bot", 35), repeat("ann", 5))...)
		w.run()
		wait(5 * time.Second)
		perMinute := func(name string) int {
			n := 0
			for _, row := range w.outcomeLog.rows() {
				if row.Outcome == event.Delivered && string(w.journal.messages[0][row.Position.Index].Data) == name {
					n++
				}
			}
			return n
		}
		if bot, ann := perMinute("bot"), perMinute("ann"); bot != 10 || ann != 5 {
			t.Errorf("after seconds %d of bot and %d of ann are delivered, want 10 and 5", bot, ann)
		}
		before := 10
		for range 5 {
			wait(time.Minute)
			now := perMinute("bot")
			if now-before > 20 { // a minute of ours touches two of the vendor's
				t.Errorf("%d of bot in a minute", now-before)
			}
			before = now
		}
		wait(10 * time.Minute)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 40})
	})
}

// Traffic over the vendor's rate is reported as soon as a whole minute shows it, and
// traffic below is not.
func TestTrafficOverTheRateIsTold(t *testing.T) {
	for name, try := range map[string]struct {
		events   int
		reported bool
	}{"below": {50, false}, "above": {70, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, true)
				w.traits.Rate, w.traits.Burst = 1, 8
				w.run()
				for range 4 {
					w.journal.add(repeat("buy", try.events)...)
					wait(time.Minute)
				}
				wait(10 * time.Minute)
				w.quit()
				if reported := slices.Contains(w.incidents.classes(), "traffic over the vendor's rate"); reported != try.reported {
					t.Errorf("reported: %v, want %v: %s", reported, try.reported, w.incidents.text())
				}
				if strings.Contains(w.logs.String(), "more events come in") != try.reported {
					t.Errorf("log: %s", w.logs)
				}
			})
		})
	}
}
