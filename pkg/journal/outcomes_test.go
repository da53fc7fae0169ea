package journal_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/journal"
)

func mustPublish(t testing.TB, j *journal.Journal, lane, payload string, after uint64) uint64 {
	t.Helper()
	seq, err := j.Publish(t.Context(), lane, []byte(payload), after)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func wantLast(t testing.TB, j *journal.Journal, lane string, wantSeq uint64, want string) {
	t.Helper()
	seq, payload, ok, err := j.Last(t.Context(), lane)
	if err != nil || ok != (wantSeq > 0) || seq != wantSeq || string(payload) != want {
		t.Errorf("last of %s: want %d %q, got %d %q %v %v", lane, wantSeq, want, seq, payload, ok, err)
	}
}

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	j, stop := mustStart(t, dir)
	wantLast(t, j, "ga4", 0, "")
	first := mustPublish(t, j, "ga4", "a", 0)
	other := mustPublish(t, j, "heap", "b", 0)
	second := mustPublish(t, j, "ga4", "c", first)
	wantLast(t, j, "ga4", second, "c")
	wantLast(t, j, "heap", other, "b")
	for _, after := range []uint64{0, first, second + 5} {
		_, err := j.Publish(t.Context(), "ga4", []byte("x"), after)
		if !errors.Is(err, journal.ErrFenced) || !fault.IsPermanent(err) {
			t.Errorf("after %d: want ErrFenced for good, got %v", after, err)
		}
	}
	if _, err := j.Publish(t.Context(), "a.b", nil, 0); err == nil {
		t.Error("a lane with a dot: want an error")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)

	j, _ = mustStart(t, dir)
	third := mustPublish(t, j, "ga4", "d", second)
	var got []string
	r := mustRead(t, j.Outcomes(), 0)
	for range 4 {
		m := mustNext(t, r)
		if m.Lost > 0 {
			t.Errorf("message %d: lost %d", m.Seq, m.Lost)
		}
		got = append(got, fmt.Sprint(m.Seq, m.Subject, string(m.Records[0])))
	}
	want := []string{
		fmt.Sprint(first, "ga4", "a"), fmt.Sprint(other, "heap", "b"),
		fmt.Sprint(second, "ga4", "c"), fmt.Sprint(third, "ga4", "d"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Of several processes that publish for a lane at once, one wins each sequence.
func TestPublishRace(t *testing.T) {
	j, _ := mustStart(t, t.TempDir())
	first := mustPublish(t, j, "lane", "0", 0)
	var all sync.WaitGroup
	var mu sync.Mutex
	stored := 0
	for i := range 8 {
		all.Go(func() {
			_, err := j.Publish(t.Context(), "lane", fmt.Append(nil, i), first)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				stored++
			} else if !errors.Is(err, journal.ErrFenced) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if stored != 1 {
		t.Errorf("want one stored, got %d", stored)
	}
}

// The answers are lost, the messages are not: a repetition must find its own.
func TestPublishRepeated(t *testing.T) {
	j, _ := mustStart(t, t.TempDir())
	j.Hurry(200*time.Millisecond, 20*time.Second)
	first := mustPublish(t, j, "lane", "a", 0)
	if err := j.Wedge(true); err != nil {
		t.Fatal(err)
	}
	second := mustPublish(t, j, "lane", "b", first)
	third := mustPublish(t, j, "lane", "c", second)
	if second != first+1 || third != second+1 {
		t.Errorf("want neighbours, got %d, %d, %d", first, second, third)
	}
	wantLast(t, j, "lane", third, "c")
}

func TestPins(t *testing.T) {
	dir := t.TempDir()
	j, stop := mustStart(t, dir)
	for i, name := range []string{"loader", "lane-ga4", "gone"} {
		if err := j.Events().Pin(t.Context(), name, uint64(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	for seq := range uint64(100) {
		if err := j.Events().Pin(t.Context(), "loader", seq+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Outcomes().Pin(t.Context(), "loader", 7); err != nil {
		t.Fatal(err)
	}
	if err := j.Events().Unpin(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{"loader": 100, "lane-ga4": 2}
	if diff := cmp.Diff(want, j.Events().Pins()); diff != "" {
		t.Error(diff)
	}
	for i := range 120 { // so that no pin is ahead of the stream
		mustAppend(t, j, fmt.Sprint(i))
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	j, _ = mustStart(t, dir)
	if diff := cmp.Diff(want, j.Events().Pins()); diff != "" {
		t.Error("after reopening:", diff)
	}
	if diff := cmp.Diff(map[string]uint64{"loader": 7}, j.Outcomes().Pins()); diff != "" {
		t.Error("after reopening:", diff)
	}
	if err := j.Events().Pin(t.Context(), "bad name", 1); err == nil {
		t.Error("a name with a space: want an error")
	}
}
