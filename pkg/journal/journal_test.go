package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		os.Exit(victim(dir))
	}
	goleak.VerifyTestMain(m)
}

func testConfig() journal.Config {
	cfg := journal.DefaultConfig()
	cfg.MaxBytes, cfg.MinFree = 256*quantity.MiB, 0
	return cfg
}

// observer collects incidents.
type observer struct {
	mu   sync.Mutex
	seen []fault.Incident
}

func (o *observer) Report(i fault.Incident) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, i)
}

// of returns the texts of the incidents of a class.
func (o *observer) of(class string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var found []string
	for _, i := range o.seen {
		if i.Class == class {
			found = append(found, i.Err.Error())
		}
	}
	return found
}

// testLog writes warnings to the test's log.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func mustOpen(t testing.TB, cfg journal.Config, opts journal.Options) *journal.Journal {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = testLog(t)
	}
	j, err := journal.Open(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, j) })
	return j
}

func mustClose(t testing.TB, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// run runs the journal and returns a function that ends it and gives Run's error.
func run(t testing.TB, j *journal.Journal) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() { cancel(); err = <-done })
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil && !errors.Is(err, journal.ErrFatal) {
			t.Error(err)
		}
	})
	return stop
}

// mustStart opens and runs a journal in dir.
func mustStart(t testing.TB, dir string) (j *journal.Journal, stop func() error) {
	t.Helper()
	j = mustOpen(t, testConfig(), journal.Options{Dir: dir})
	return j, run(t, j)
}

func mustAppend(t testing.TB, j *journal.Journal, records ...string) event.Position {
	t.Helper()
	position, err := j.Append(t.Context(), asBytes(records))
	if err != nil {
		t.Fatal(err)
	}
	return position
}

func asBytes(records []string) [][]byte {
	b := make([][]byte, len(records))
	for i, r := range records {
		b[i] = []byte(r)
	}
	return b
}

func mustRead(t testing.TB, s *journal.Stream, from uint64) *journal.Reader {
	t.Helper()
	r, err := s.Read(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func mustNext(t testing.TB, r *journal.Reader) journal.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := r.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drain returns all records that are there now, by position.
func drain(t testing.TB, s *journal.Stream) map[event.Position]string {
	t.Helper()
	r := mustRead(t, s, 0)
	found := make(map[event.Position]string)
	for {
		m, ok, err := r.TryNext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return found
		}
		if m.Lost > 0 {
			t.Errorf("message %d: lost %d", m.Seq, m.Lost)
		}
		for i, record := range m.Records {
			found[event.Position{Seq: m.Seq, Index: uint32(i)}] = string(record)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	j, _ := mustStart(t, t.TempDir())
	before := time.Now()
	first := mustAppend(t, j, "a", "", strings.Repeat("b", 300))
	second := mustAppend(t, j, "c")
	if want := (event.Position{Seq: 1}); first != want {
		t.Errorf("first: want %v, got %v", want, first)
	}
	if !first.Before(second) {
		t.Errorf("want %v before %v", first, second)
	}
	r := mustRead(t, j.Events(), 1)
	m := mustNext(t, r)
	if diff := cmp.Diff(asBytes([]string{"a", "", strings.Repeat("b", 300)}), m.Records); diff != "" {
		t.Error(diff)
	}
	if m.Seq != 1 || m.Lost != 0 || m.Subject != "" || m.Time.Before(before.Add(-time.Second)) || m.Time.After(time.Now().Add(time.Second)) {
		t.Errorf("message: %+v", m)
	}
	if m := mustNext(t, r); m.Seq != second.Seq || string(m.Records[0]) != "c" {
		t.Errorf("message: %+v", m)
	}
	if _, ok, err := r.TryNext(t.Context()); ok || err != nil {
		t.Errorf("want nothing more, got %v, %v", ok, err)
	}
	got, err := j.Events().Get(t.Context(), 2)
	if err != nil || string(got.Records[0]) != "c" {
		t.Errorf("get: %+v, %v", got, err)
	}
	if _, err := j.Events().Get(t.Context(), 3); !errors.Is(err, journal.ErrAhead) {
		t.Errorf("want ErrAhead, got %v", err)
	}
	if from, end, err := j.Events().Bounds(t.Context()); from != 1 || end != 3 || err != nil {
		t.Errorf("bounds: %d, %d, %v", from, end, err)
	}
	if _, err := j.Events().Read(t.Context(), 4); !errors.Is(err, journal.ErrAhead) {
		t.Errorf("want ErrAhead, got %v", err)
	}
}

func TestAppendTogether(t *testing.T) {
	const callers, calls = 64, 50
	j, _ := mustStart(t, t.TempDir())
	want := make(map[event.Position]string)
	var mu sync.Mutex
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			var last event.Position
			for i := range calls {
				one, two := fmt.Sprint(c, "-", i, "-1"), fmt.Sprint(c, "-", i, "-2")
				p, err := j.Append(t.Context(), asBytes([]string{one, two}))
				if err != nil {
					t.Error(err)
					return
				}
				if !last.Before(p) {
					t.Errorf("caller %d: %v after %v", c, p, last)
				}
				last = p
				mu.Lock()
				want[p], want[p.Next()] = one, two
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(want) != callers*calls*2 {
		t.Errorf("want %d positions, got %d", callers*calls*2, len(want))
	}
	if diff := cmp.Diff(want, drain(t, j.Events())); diff != "" {
		t.Error(diff)
	}
	_, end, err := j.Events().Bounds(t.Context())
	if err != nil || end-1 > callers*calls/4 {
		t.Errorf("%d appends made %d messages, %v", callers*calls, end-1, err)
	}
}
