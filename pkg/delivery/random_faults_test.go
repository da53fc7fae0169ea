package delivery_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// chance is a source of decisions that many goroutines may ask.
type chance struct {
	mu  sync.Mutex
	rng *rand.Rand
	on  bool
}

func (c *chance) one(in int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.on && c.rng.IntN(in) == 0
}

func (c *chance) number(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}

// wild reports whether calm has not been called.
func (c *chance) wild() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.on
}

func (c *chance) calm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = false
}

// TestWhateverHappens kills, restarts, trims, loses answers and refuses
// connections at random. In the end each event has exactly one outcome, the
// vendor's log agrees, and a vendor without a dedup key got nothing twice.
func TestWhateverHappens(t *testing.T) {
	total := make(map[event.Outcome]int)
	for seed := range uint64(25) {
		for _, dedup := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				for o, n := range whatever(t, seed, dedup) {
					total[o] += n
				}
				if t.Failed() {
					t.Fatalf("seed %d, dedup %v", seed, dedup)
				}
			})
		}
	}
	for _, o := range []event.Outcome{event.Delivered, event.Filtered, event.Rejected, event.Expired, event.Uncertain} {
		if total[o] == 0 {
			t.Errorf("no event was ever %s: %v", o, total)
		}
	}
}

func whatever(t *testing.T, seed uint64, dedup bool) map[event.Outcome]int {
	c := &chance{rng: rand.New(rand.NewPCG(seed, 1)), on: true}
	w := newWorld(t, dedup)
	w.tracker.each, w.traits.MaxBatch, w.traits.Concurrency = 1+c.number(5), 1+c.number(12), 1+c.number(4)
	w.config.MaxParked, w.config.MaxAge, w.config.RetryFor = 1+c.number(20), 20*time.Minute, 5*time.Minute
	w.vendor.say = func(string) string {
		for _, word := range []string{"reject", "park", "again"} {
			if c.one(15) {
				return word
			}
		}
		return ""
	}
	w.vendor.fault = func(_ int, rw http.ResponseWriter) bool {
		for _, status := range []int{400, 413, 500, 503, 302} {
			if c.one(40) {
				rw.WriteHeader(status)
				return true
			}
		}
		return false
	}
	w.transport = &wireless{handler: w.vendor, refuse: func() bool { return c.one(20) }, lose: func() bool { return c.one(20) }}
	w.vendor.fails = func(id string) bool { return strings.HasSuffix(id, "5-1") && c.wild() }
	data := []string{"buy", "buy", "buy", "buy", "unplanned", "too long", "skipped", "malformed", "duplicate"}
	for range 15 {
		for range c.number(6) {
			var message []string
			for range 1 + c.number(12) {
				message = append(message, data[c.number(len(data))])
			}
			w.journal.add(message...)
		}
		l := w.begin()
		l.die(1+c.number(20), c.one(2))
		w.vendor.after = func(int) {
			if c.one(60) {
				l.kill()
			}
		}
		w.live(l)
		if c.one(4) {
			wait(time.Duration(c.number(30)) * time.Minute) // nobody is there for a while
		}
		if last := w.outcomeLog.last(); last.Tracker != "" && c.one(2) {
			w.journal.trim(delivery.EarliestNeeded(&last).Seq)
		}
	}
	c.calm()
	w.vendor.after = nil
	for range 10 { // parked events need a few minutes
		w.live(w.begin())
	}
	if len(w.incidents.classes()) == 0 || strings.Contains(fmt.Sprint(w.incidents.classes()), "gap") {
		t.Errorf("incidents: %v", w.incidents.classes())
	}
	sums := w.audit()
	if sums[event.Pending] > 0 {
		t.Errorf("%d events still pending", sums[event.Pending])
	}
	return sums
}
