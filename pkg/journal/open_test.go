package journal_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	j, _ := mustStart(t, dir)
	_, err := journal.Open(t.Context(), testConfig(), journal.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("want an error that names this process, got %v", err)
	}
	mustAppend(t, j, "a") // unharmed
}

func TestEpoch(t *testing.T) {
	dir := t.TempDir()
	j, stop := mustStart(t, dir)
	epoch := j.Epoch()
	if !regexp.MustCompile(`^[a-z0-9]{6,12}$`).MatchString(epoch) {
		t.Errorf("epoch %q", epoch)
	}
	mustAppend(t, j, "a")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	j, _ = mustStart(t, dir)
	if j.Epoch() != epoch {
		t.Errorf("want epoch %s again, got %s", epoch, j.Epoch())
	}
	if p := mustAppend(t, j, "b"); p.Seq != 2 {
		t.Errorf("want sequence 2 after reopening, got %d", p.Seq)
	}
	if other, _ := mustStart(t, t.TempDir()); other.Epoch() == epoch {
		t.Error("two journals with the same epoch")
	}
}

func TestAnotherBound(t *testing.T) {
	dir := t.TempDir()
	j, stop := mustStart(t, dir)
	epoch := j.Epoch()
	mustAppend(t, j, "a")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	cfg := testConfig()
	cfg.MaxBytes /= 4
	j = mustOpen(t, cfg, journal.Options{Dir: dir})
	run(t, j)
	if p := mustAppend(t, j, "b"); p.Seq != 2 || j.Epoch() != epoch {
		t.Errorf("after a lower bound: position %v, epoch %s instead of %s", p, j.Epoch(), epoch)
	}
}

func TestClosed(t *testing.T) {
	j, stop := mustStart(t, t.TempDir())
	r := mustRead(t, j.Events(), 0)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), [][]byte{{1}}); err == nil {
		t.Error("append after run has ended: want an error")
	}
	mustClose(t, j)
	if err := j.Ready(t.Context()); err == nil {
		t.Error("ready after close: want an error")
	}
	if _, err := j.Publish(t.Context(), "lane", nil, 0); err == nil {
		t.Error("publish after close: want an error")
	}
	if _, err := r.Next(t.Context()); err == nil {
		t.Error("next after close: want an error")
	}
}

func TestCancel(t *testing.T) {
	j, _ := mustStart(t, t.TempDir())
	r := mustRead(t, j.Events(), 0)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ended); err != context.Canceled {
		t.Errorf("want the context's error, got %v", err)
	}
	if _, err := j.Append(ended, [][]byte{{1}}); err == nil {
		t.Error("append with an ended context: want an error")
	}
	short, cancelShort := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancelShort()
	if _, err := r.Next(short); err != context.DeadlineExceeded {
		t.Errorf("want the context's error, got %v", err)
	}
	for i := range 50 { // short waits lose nothing
		p := mustAppend(t, j, fmt.Sprint(i))
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Microsecond)
			m, err := r.Next(ctx)
			cancel()
			if err == nil {
				if m.Seq != p.Seq || m.Lost != 0 {
					t.Fatalf("want message %d, got %d, lost %d", p.Seq, m.Seq, m.Lost)
				}
				break
			}
		}
	}
}

func TestRunStoresWhatWaits(t *testing.T) {
	j := mustOpen(t, testConfig(), journal.Options{Dir: t.TempDir()})
	const waiting = 20
	results := make(chan error, waiting)
	for range waiting {
		go func() {
			_, err := j.Append(context.Background(), [][]byte{[]byte("a")})
			results <- err
		}()
	}
	eventually(t, "waiting appends", func() bool { return j.Waiting() == waiting })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Run(ctx); err != nil {
		t.Error(err)
	}
	for range waiting {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := len(drain(t, j.Events())); n != waiting {
		t.Errorf("want %d records, got %d", waiting, n)
	}
}

func TestSeqAt(t *testing.T) {
	j, _ := mustStart(t, t.TempDir())
	at := func(when time.Time) uint64 {
		t.Helper()
		seq, err := j.Events().SeqAt(t.Context(), when)
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	if seq := at(time.Now()); seq != 1 {
		t.Errorf("empty stream: want 1, got %d", seq)
	}
	for range 3 {
		mustAppend(t, j, "a")
	}
	second, err := j.Events().Get(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for want, when := range map[uint64]time.Time{
		1: second.Time.Add(-time.Hour), 2: second.Time, 3: second.Time.Add(1), 4: second.Time.Add(time.Hour),
	} {
		if seq := at(when); seq != want {
			t.Errorf("at %v: want %d, got %d", when, want, seq)
		}
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	j := mustOpen(t, testConfig(), journal.Options{Dir: t.TempDir(), Registerer: reg})
	run(t, j)
	mustAppend(t, j, "a")
	if err := j.Events().Pin(t.Context(), "loader", 1); err != nil {
		t.Fatal(err)
	}
	trimmed(t, j)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, f := range families {
		found[f.GetName()] = true
	}
	for _, name := range []string{"append_seconds", "group_records", "stream_bytes", "stream_bound_bytes",
		"oldest_hold_messages", "disk_free_bytes", "restarts_total"} {
		if !found["sparrow_journal_"+name] {
			t.Errorf("no metric sparrow_journal_%s", name)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*journal.Config)
		want   string // in the error, "" for none
	}{
		"default":         {func(*journal.Config) {}, ""},
		"cluster":         {func(c *journal.Config) { c.URL, c.Replicas = "nats://a:4222, tls://b:4222", 3 }, ""},
		"age":             {func(c *journal.Config) { c.MaxAge = 0 }, "maxAge"},
		"bytes":           {func(c *journal.Config) { c.MaxBytes = 1 }, "maxBytes"},
		"free":            {func(c *journal.Config) { c.MinFree = -1 }, "minFree"},
		"even replicas":   {func(c *journal.Config) { c.URL, c.Replicas = "nats://a:4222", 2 }, "replicas"},
		"replicas of one": {func(c *journal.Config) { c.Replicas = 3 }, "set url"},
		"scheme":          {func(c *journal.Config) { c.URL = "http://a:4222" }, "url"},
		"password":        {func(c *journal.Config) { c.URL = "nats://user:hunter2@:bad:port" }, "url"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := journal.DefaultConfig()
			test.change(&cfg)
			err := cfg.Check()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("want an error with %q, got %v", test.want, err)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}
