package journal_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// eventually waits until check is true.
func eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !check() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never came: %s", what)
		}
	}
}

func TestTrafficBeyondTheBound(t *testing.T) {
	const callers, size, total = 16, 32 << 10, traffic
	cfg := testConfig()
	cfg.MaxBytes = 64 * quantity.MiB
	j := mustOpen(t, cfg, journal.Options{Dir: t.TempDir()})
	run(t, j)
	var all sync.WaitGroup
	for _, name := range []string{"loader", "lane"} {
		if err := j.Events().Pin(t.Context(), name, 1); err != nil {
			t.Fatal(err)
		}
		r := mustRead(t, j.Events(), 0)
		all.Go(func() {
			for read := 0; read < total/size; {
				m := mustNextQuietly(t, r)
				if m.Lost > 0 || m.Seq == 0 {
					t.Errorf("%s: message %d: lost %d", name, m.Seq, m.Lost)
					return
				}
				read += len(m.Records)
				if err := j.Events().Pin(t.Context(), name, m.Seq+1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	record := bytes.Repeat([]byte("x"), size)
	for range callers {
		all.Go(func() {
			for range total / size / callers {
				if _, err := j.Append(t.Context(), [][]byte{record}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// mustNextQuietly is mustNext for goroutines: it returns nothing after an error.
func mustNextQuietly(t testing.TB, r *journal.Reader) journal.Message {
	m, err := r.Next(t.Context())
	if err != nil {
		t.Error(err)
	}
	return m
}

func TestFull(t *testing.T) {
	cfg := testConfig()
	cfg.MaxBytes = 32 * quantity.MiB
	j := mustOpen(t, cfg, journal.Options{Dir: t.TempDir()})
	run(t, j)
	if err := j.Events().Pin(t.Context(), "slow", 1); err != nil {
		t.Fatal(err)
	}
	record := bytes.Repeat([]byte("x"), 1<<20)
	stored := 0
	var err error
	for ; stored < 64; stored++ {
		if _, err = j.Append(t.Context(), [][]byte{record}); err != nil {
			break
		}
	}
	if !errors.Is(err, journal.ErrFull) || stored < 20 {
		t.Fatalf("after %d MiB: want ErrFull, got %v", stored, err)
	}
	if after, ok := fault.RetryAfter(err); !ok || after <= 0 {
		t.Errorf("no time to wait in %v", err)
	}
	if err := j.Ready(t.Context()); !errors.Is(err, journal.ErrFull) {
		t.Errorf("ready: want ErrFull, got %v", err)
	}
	if _, err := j.Publish(t.Context(), "lane", []byte("outcome"), 0); err != nil {
		t.Errorf("a full stream of events blocks outcomes: %v", err)
	}
	if first, _, err := j.Events().Bounds(t.Context()); first != 1 || err != nil {
		t.Errorf("what is held was trimmed: first is %d, %v", first, err)
	}
	if err := j.Events().Pin(t.Context(), "slow", 10); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room after the reader went on", func() bool { return j.Ready(t.Context()) == nil })
	if _, err := j.Append(t.Context(), [][]byte{record}); err != nil {
		t.Error(err)
	}
	if first, _, err := j.Events().Bounds(t.Context()); first != 10 || err != nil {
		t.Errorf("want first 10, got %d, %v", first, err)
	}
}

func TestMinFree(t *testing.T) {
	cfg := testConfig()
	cfg.MinFree = quantity.GiB
	j := mustOpen(t, cfg, journal.Options{Dir: t.TempDir()})
	var free atomic.Int64
	free.Store(int64(quantity.GiB) - 1)
	j.SetFreeSpace(&free)
	run(t, j)
	eventually(t, "refusal", func() bool { return j.Ready(t.Context()) != nil })
	_, err := j.Append(t.Context(), [][]byte{{1}})
	if !errors.Is(err, journal.ErrFull) {
		t.Errorf("want ErrFull, got %v", err)
	}
	seq, err := j.Publish(t.Context(), "lane", nil, 0)
	if err != nil {
		t.Errorf("outcomes may go on for a while: %v", err)
	}
	free.Store(int64(quantity.GiB) / 4)
	eventually(t, "refusal of outcomes", func() bool {
		var next uint64
		if next, err = j.Publish(t.Context(), "lane", nil, seq); err == nil {
			seq = next
		}
		return errors.Is(err, journal.ErrFull)
	})
	free.Store(int64(2 * quantity.GiB))
	eventually(t, "readiness", func() bool { return j.Ready(t.Context()) == nil })
	mustAppend(t, j, "a")
}

// TestMinFreeFromTheStart: nothing is taken before the first look at the disk.
func TestMinFreeFromTheStart(t *testing.T) {
	cfg := testConfig()
	cfg.MinFree = quantity.Size(8000<<10) * quantity.GiB
	j := mustOpen(t, cfg, journal.Options{Dir: t.TempDir()})
	if err := j.Ready(t.Context()); !errors.Is(err, journal.ErrFull) {
		t.Errorf("want ErrFull, got %v", err)
	}
}

func TestTrimKeepsWhatIsNotHeld(t *testing.T) {
	j, _ := mustStart(t, t.TempDir())
	for range 5 {
		mustAppend(t, j, "a")
	}
	if first := trimmed(t, j); first != 1 {
		t.Errorf("nobody pins the stream, but it begins at %d", first)
	}
	pin := func(reader string, seq uint64) {
		if err := j.Events().Pin(t.Context(), reader, seq); err != nil {
			t.Fatal(err)
		}
	}
	pin("a", 3)
	pin("b", 4)
	if first := trimmed(t, j); first != 3 {
		t.Errorf("want first 3, got %d", first)
	}
	if err := j.Events().Unpin(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	pin("b", 6) // beyond the last
	if first := trimmed(t, j); first != 5 {
		t.Errorf("the last message must stay: first is %d", first)
	}
	r := mustRead(t, j.Events(), 2)
	if m := mustNext(t, r); m.Seq != 5 || m.Lost != 3 {
		t.Errorf("a reader below the first: want message 5 and 3 lost, got %d and %d", m.Seq, m.Lost)
	}
	r = mustRead(t, j.Events(), 0)
	if m := mustNext(t, r); m.Seq != 5 || m.Lost != 0 {
		t.Errorf("a reader from the first: want message 5 and 0 lost, got %d and %d", m.Seq, m.Lost)
	}
	if _, err := j.Events().Get(t.Context(), 2); !errors.Is(err, journal.ErrGone) {
		t.Errorf("want ErrGone, got %v", err)
	}
}

// trimmed trims and returns the first sequence.
func trimmed(t *testing.T, j *journal.Journal) uint64 {
	t.Helper()
	if err := j.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, _, err := j.Events().Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func TestQueueIsBounded(t *testing.T) {
	j := mustOpen(t, testConfig(), journal.Options{Dir: t.TempDir()}) // does not run: nothing is stored
	record := bytes.Repeat([]byte("x"), 4<<20)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	var refused atomic.Int32
	for range journal.QueueLimit/len(record) + 4 {
		all.Go(func() {
			_, err := j.Append(ctx, [][]byte{record})
			if errors.Is(err, journal.ErrUnavailable) && refused.Add(1) == 4 {
				cancel()
			}
		})
	}
	all.Wait()
	if refused.Load() < 4 {
		t.Errorf("want at least 4 refused, got %d", refused.Load())
	}
	_, err := j.Append(t.Context(), [][]byte{bytes.Repeat([]byte("x"), 9<<20)})
	if !errors.Is(err, journal.ErrTooLarge) || !fault.IsPermanent(err) {
		t.Errorf("want ErrTooLarge for good, got %v", err)
	}
}
