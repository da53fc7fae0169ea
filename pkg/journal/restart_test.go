package journal_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// A server that stops answering is restarted; what waits is stored once, and a
// reader goes on.
func TestWedgedServer(t *testing.T) {
	for name, break_ := range map[string]func(*journal.Journal) error{
		"requests are lost": func(j *journal.Journal) error { return j.Wedge(false) },
		"answers are lost":  func(j *journal.Journal) error { return j.Wedge(true) },
		"JetStream is off":  func(j *journal.Journal) error { return j.SwitchOffJetStream() },
	} {
		t.Run(name, func(t *testing.T) {
			var seen observer
			j := mustOpen(t, testConfig(), journal.Options{Dir: t.TempDir(), Reporter: &seen})
			j.Hurry(300*time.Millisecond, 20*time.Second)
			run(t, j)
			r := mustRead(t, j.Events(), 0)
			mustAppend(t, j, "before")
			if m := mustNext(t, r); string(m.Records[0]) != "before" {
				t.Errorf("got %q", m.Records)
			}
			if err := break_(j); err != nil {
				t.Fatal(err)
			}
			const callers = 20
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					if _, err := j.Append(t.Context(), [][]byte{fmt.Append(nil, i)}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			found := make(map[string]int)
			for n := 0; n < callers; {
				m := mustNext(t, r)
				if m.Lost > 0 {
					t.Errorf("message %d: lost %d", m.Seq, m.Lost)
				}
				for _, record := range m.Records {
					found[string(record)]++
					n++
				}
			}
			for i := range callers {
				if got := found[fmt.Sprint(i)]; got != 1 {
					t.Errorf("record %d: stored %d times", i, got)
				}
			}
			if m, ok, err := r.TryNext(t.Context()); ok || err != nil {
				t.Errorf("want nothing more, got %v, %v", m, err)
			}
			if len(seen.of("stuck")) == 0 {
				t.Error("nobody was told")
			}
			if err := j.Ready(t.Context()); err != nil {
				t.Errorf("ready: %v", err)
			}
		})
	}
}

func TestServerDoesNotComeBack(t *testing.T) {
	j := mustOpen(t, testConfig(), journal.Options{Dir: t.TempDir()})
	j.Hurry(300*time.Millisecond, 2*time.Second)
	stop := run(t, j)
	if err := j.BreakServer(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), [][]byte{{1}}); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("want ErrUnavailable, got %v", err)
	}
	eventually(t, "the end of the journal", func() bool {
		_, err := j.Append(t.Context(), [][]byte{{1}})
		return errors.Is(err, journal.ErrClosed)
	})
	if err := stop(); !errors.Is(err, journal.ErrFatal) {
		t.Errorf("want ErrFatal, got %v", err)
	}
}

// A stream that is gone after a restart is made anew: another epoch, told to
// whoever watches, and the pins of the old one mean nothing.
func TestStreamIsReplaced(t *testing.T) {
	var seen observer
	j := mustOpen(t, testConfig(), journal.Options{Dir: t.TempDir(), Reporter: &seen})
	run(t, j)
	epoch := j.Epoch()
	r := mustRead(t, j.Events(), 0)
	mustAppend(t, j, "a")
	mustNext(t, r)
	if err := j.Events().Pin(t.Context(), "loader", 2); err != nil {
		t.Fatal(err)
	}
	if err := j.DeleteEvents(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := mustAppend(t, j, "b")
	if p.Seq != 1 || j.Epoch() == epoch {
		t.Errorf("position %v, epoch %s after %s", p, j.Epoch(), epoch)
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, journal.ErrEpochChanged) {
		t.Errorf("want ErrEpochChanged, got %v", err)
	}
	if len(seen.of("new epoch")) != 1 {
		t.Errorf("incidents: %q", seen.of("new epoch"))
	}
	if pins := j.Events().Pins(); len(pins) > 0 {
		t.Errorf("pins of the old stream: %v", pins)
	}
}
