package journal_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// startServer starts a server with JetStream; port 0 takes a free one.
func startServer(t *testing.T, dir string, port int) *natsd.Server {
	t.Helper()
	if port == 0 {
		port = natsd.RANDOM_PORT
	}
	s, err := natsd.NewServer(&natsd.Options{
		Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, SyncAlways: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func clusterConfig(s *natsd.Server) journal.Config {
	cfg := testConfig()
	cfg.URL = s.ClientURL()
	return cfg
}

// Two processes write to one stream, a third reads.
func TestCluster(t *testing.T) {
	s := startServer(t, t.TempDir(), 0)
	var all sync.WaitGroup
	const callers, calls = 8, 30
	reading := mustOpen(t, clusterConfig(s), journal.Options{})
	run(t, reading)
	r := mustRead(t, reading.Events(), 0)
	for range 2 {
		j := mustOpen(t, clusterConfig(s), journal.Options{})
		run(t, j)
		if j.Epoch() != reading.Epoch() {
			t.Errorf("two epochs: %s and %s", j.Epoch(), reading.Epoch())
		}
		for range callers {
			all.Go(func() {
				for range calls {
					if _, err := j.Append(t.Context(), asBytes([]string{"a", "b"})); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	for got := 0; got < 2*2*callers*calls; {
		m := mustNext(t, r)
		if m.Lost > 0 {
			t.Errorf("message %d: lost %d", m.Seq, m.Lost)
		}
		got += len(m.Records)
	}
	all.Wait()
	_, err := reading.Append(t.Context(), [][]byte{make([]byte, 2<<20)})
	if !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("above the cluster's max_payload: want ErrTooLarge, got %v", err)
	}
}

// What another process's readers need is not trimmed.
func TestClusterPins(t *testing.T) {
	s := startServer(t, t.TempDir(), 0)
	a := mustOpen(t, clusterConfig(s), journal.Options{})
	b := mustOpen(t, clusterConfig(s), journal.Options{})
	run(t, a)
	for i := range 10 {
		mustAppend(t, a, fmt.Sprint(i))
	}
	pin := func(j *journal.Journal, reader string, seq uint64) {
		if err := j.Events().Pin(t.Context(), reader, seq); err != nil {
			t.Fatal(err)
		}
	}
	pin(a, "of-a", 8)
	pin(b, "of-b", 4)
	if first := trimmed(t, a); first != 4 {
		t.Errorf("want first 4, got %d", first)
	}
	// The reader of-b moves to the process a.
	pin(a, "of-b", 6)
	eventually(t, "the pin of the reader that moved", func() bool {
		if err := b.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		return b.Events().Pins()["of-b"] == 6
	})
}

func TestClusterFence(t *testing.T) {
	s := startServer(t, t.TempDir(), 0)
	a := mustOpen(t, clusterConfig(s), journal.Options{})
	b := mustOpen(t, clusterConfig(s), journal.Options{})
	first := mustPublish(t, a, "lane", "a", 0)
	second := mustPublish(t, b, "lane", "b", first)
	if _, err := a.Publish(t.Context(), "lane", []byte("c"), first); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("want ErrFenced, got %v", err)
	}
	wantLast(t, a, "lane", second, "b")
}

// The server goes away and comes back: appends that wait are stored, readers go on.
func TestClusterRestart(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir, 0)
	port := s.Addr().(*net.TCPAddr).Port
	j := mustOpen(t, clusterConfig(s), journal.Options{})
	stop := run(t, j)
	r := mustRead(t, j.Events(), 0)
	mustAppend(t, j, "a")
	mustNext(t, r)
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "the loss of the connection", func() bool { return j.Ready(t.Context()) != nil })
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := j.Append(t.Context(), asBytes([]string{"b"})); err != nil {
			t.Error(err)
		}
	})
	startServer(t, dir, port)
	if m := mustNext(t, r); string(m.Records[0]) != "b" || m.Lost != 0 {
		t.Errorf("got %+v", m)
	}
	all.Wait()
	if err := stop(); err != nil {
		t.Error(err)
	}
	mustClose(t, j) // before the server
}

func TestClusterAway(t *testing.T) {
	cfg := testConfig()
	cfg.URL = "nats://user:hunter2@127.0.0.1:1"
	_, err := journal.Open(t.Context(), cfg, journal.Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("want an error without the password, got %v", err)
	}
}

func TestReadVarz(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want bool
		ok   bool
	}{
		"always":       {`{"jetstream":{"config":{"sync_always":true}}}`, true, true},
		"interval":     {`{"jetstream":{"config":{"sync_interval":120000000000}}}`, false, true},
		"no JetStream": {`{"jetstream":{}}`, false, false},
		"not JSON":     {`<html>`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := journal.ReadVarz(strings.NewReader(test.body))
			if got != test.want || (err == nil) != test.ok {
				t.Errorf("want %v %v, got %v, %v", test.want, test.ok, got, err)
			}
		})
	}
}

// A server that accepts connections and says nothing does not hold up whoever
// gives up.
func TestClusterSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := testConfig()
	cfg.URL = "nats://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	var accepted sync.WaitGroup
	accepted.Go(func() {
		conn, err := l.Accept()
		cancel()
		if err == nil {
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1)) // until the other side gives up
		}
	})
	begun := time.Now()
	if _, err := journal.Open(ctx, cfg, journal.Options{}); err == nil {
		t.Error("it opened")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v to give up", took)
	}
	accepted.Wait()
}
