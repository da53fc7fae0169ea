package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

var errKilled = errors.New("killed")

// life is a lane that can be killed: from then on it changes nothing outside
// itself, as after SIGKILL.
type life struct {
	ctx  context.Context
	kill context.CancelFunc
	view *outcomeLog
}

// begin starts a lane with an outcome log view of its own.
func (w *world) begin() *life {
	ctx, kill := context.WithCancel(context.Background())
	l := &life{ctx: ctx, kill: kill, view: w.outcomeLog.clone()}
	return l
}

// alive keeps a killed life's requests from arriving.
type alive struct {
	life *life
	next http.RoundTripper
}

func (a *alive) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.life.ctx.Err() != nil {
		return nil, errKilled
	}
	resp, err := a.next.RoundTrip(r)
	if a.life.ctx.Err() != nil { // killed while it was under way: the answer goes nowhere
		return nil, errKilled
	}
	return resp, err
}

// live runs one life to its end: until it is killed, or for a minute. It
// reports whether it was killed.
func (w *world) live(l *life) bool {
	w.t.Helper()
	deps := w.deps()
	deps.OutcomeLog, deps.Transport = l.view, &alive{l, w.transport}
	lane, err := delivery.New(w.config, w.tracker, w.traits, deps)
	if err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	run, stop := context.WithCancel(context.Background())
	go func() { ended <- lane.Run(run) }()
	select {
	case <-l.ctx.Done():
		stop()
		<-ended
		return true
	case <-time.After(time.Minute):
		stop()
		err := <-ended
		killed := l.ctx.Err() != nil // by its very last publish
		if err != nil && !killed {
			w.t.Errorf("Run() = %v", err)
		}
		l.kill()
		return killed
	}
}

// die makes the n-th publish of a life its last.
func (l *life) die(n int, before bool) {
	dead := func(i int) error {
		if l.ctx.Err() != nil || i == n && before {
			l.kill()
			return errKilled
		}
		return nil
	}
	l.view.before = dead
	l.view.after = func(i int) error {
		if i == n {
			l.kill()
			return errKilled
		}
		return dead(i)
	}
}

// busyMessages are those of busy, each with seven events that are no duplicate.
const busyMessages = 20

// busy is a journal with something of everything, and a vendor to match.
func busy(w *world) {
	w.tracker.each, w.config.MaxParked = 3, 20
	parkedOnce := make(map[string]int)
	w.vendor.say = func(id string) string {
		switch {
		case strings.HasSuffix(id, "-1") && len(id)%2 == 0:
			return "reject"
		case id == "e1-2-0" || id == "e1-4-2":
			if parkedOnce[id]++; parkedOnce[id] < 4 {
				return "park"
			}
		}
		return ""
	}
	failing := 0
	w.vendor.fault = func(n int, rw http.ResponseWriter) bool {
		if n == 4 || n == 9 {
			failing++
			rw.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	for i := range busyMessages {
		w.journal.add("buy", "buy", "unplanned", "buy", "too long", "duplicate", fmt.Sprintf("unplanned %d", i), "malformed")
	}
}

// settle runs lives until one is not killed any more, and audits.
func (w *world) settle() map[event.Outcome]int {
	w.t.Helper()
	for w.live(w.begin()) {
	}
	sums := w.audit()
	if sums[event.Pending] > 0 {
		w.t.Errorf("%d events still pending", sums[event.Pending])
	}
	total := 0
	for _, n := range sums {
		total += n
	}
	if total != busyMessages*7 {
		w.t.Errorf("%d events have a place, want %d: %v", total, busyMessages*7, sums)
	}
	return sums
}

func TestKilledAtEveryPublish(t *testing.T) {
	for _, dedup := range []bool{true, false} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("dedup=%v/before=%v", dedup, before), func(t *testing.T) {
				uncertain := 0
				n, killed := 1, true
				for ; killed; n++ {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, dedup)
						busy(w)
						l := w.begin()
						l.die(n, before)
						killed = w.live(l)
						uncertain += w.settle()[event.Uncertain]
					})
				}
				if n < 10 {
					t.Errorf("only %d publishes: the test kills too little", n)
				}
				if dedup == (uncertain > 0) {
					t.Errorf("%d uncertain events with dedup=%v", uncertain, dedup)
				}
			})
		}
	}
}

func TestKilledAtEveryPublishAgainAndAgain(t *testing.T) {
	for _, dedup := range []bool{true, false} {
		t.Run(fmt.Sprintf("dedup=%v", dedup), func(t *testing.T) {
			for n := 2; n < 6; n++ {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, dedup)
					busy(w)
					for i := range 100 {
						l := w.begin()
						l.die(n, i%2 == 0)
						if !w.live(l) {
							break
						}
					}
					w.settle()
				})
			}
		})
	}
}

func TestKilledWhileSending(t *testing.T) {
	for _, dedup := range []bool{true, false} {
		for _, taken := range []bool{true, false} {
			t.Run(fmt.Sprintf("dedup=%v/taken=%v", dedup, taken), func(t *testing.T) {
				n, killed := 1, true
				for ; killed; n++ {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, dedup)
						busy(w)
						l := w.begin()
						l.die(0, false)
						outage := w.vendor.fault
						w.vendor.fault = func(i int, rw http.ResponseWriter) bool {
							if i == n && !taken {
								l.kill()
								return true
							}
							return outage(i, rw)
						}
						w.vendor.after = func(i int) {
							if i == n {
								l.kill()
							}
						}
						refused := n == 4 || n == 9 // by the outage, so nothing kills there
						killed = w.live(l) || refused
						sums := w.settle()
						if killed && dedup == (sums[event.Uncertain] > 0) && !refused {
							t.Errorf("request %d: %d uncertain events with dedup=%v", n, sums[event.Uncertain], dedup)
						}
					})
				}
				if n < 10 {
					t.Errorf("only %d requests: the test kills too little", n)
				}
			})
		}
	}
}

func TestPublishWhoseResultIsUnknown(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		busy(w)
		w.outcomeLog.after = func(n int) error { // durable, but the answer got lost
			if n%2 == 0 {
				return errors.New("publish timed out")
			}
			return nil
		}
		w.outcomeLog.before = func(n int) error {
			if n%5 == 0 {
				return errors.New("stream is away")
			}
			return nil
		}
		w.run()
		wait(5 * time.Minute)
		w.quit()
		if sums := w.audit(); sums[event.Uncertain]+sums[event.Pending] > 0 {
			t.Errorf("sums: %v", sums)
		}
		if !strings.Contains(w.logs.String(), "cannot publish outcomes") || strings.Contains(strings.Join(w.incidents.classes(), " "), "fenced") {
			t.Errorf("log: %s", w.logs)
		}
	})
}

func TestShutdownLeavesPublishInTheAir(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		busy(w)
		reached, proceed := make(chan struct{}), make(chan struct{})
		w.outcomeLog.after = func(n int) error {
			if n != 6 {
				return nil
			}
			close(reached)
			<-proceed
			return errors.New("publish timed out")
		}
		w.run()
		<-reached
		ended := make(chan error, 1)
		go func() { ended <- w.stop() }()
		synctest.Wait()
		close(proceed)
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
		w.settle()
	})
}

func TestJournalAwayIsWaitedOut(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.journal.fail = errors.New("journal is away")
		w.journal.add("buy")
		w.run()
		wait(time.Minute)
		w.journal.mu.Lock()
		w.journal.fail = nil
		w.journal.mu.Unlock()
		wait(5 * time.Second)
		w.quit()
		counts(t, w.audit(), map[event.Outcome]int{event.Delivered: 1})
		if got := strings.Join(w.incidents.classes(), ","); got != "journal" {
			t.Errorf("incidents %s", got)
		}
	})
}
