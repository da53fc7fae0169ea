package cluster_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// gate is a proxy before a server, closed until it is opened: connections are
// accepted, and nothing is answered.
type gate struct {
	listener net.Listener
	opened   chan struct{}
	open     func()
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	var all sync.WaitGroup
	all.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { from.Close() })
			all.Go(func() { g.connect(from, target) })
		}
	})
	t.Cleanup(func() { l.Close(); g.open() })
	return g
}

func (g *gate) connect(from net.Conn, target string) {
	<-g.opened
	to, err := net.Dial("tcp", target)
	if err != nil {
		from.Close()
		return
	}
	go func() {
		_, _ = io.Copy(to, from) // until one side is closed
		to.Close()
	}()
	_, _ = io.Copy(from, to)
	from.Close()
}

// While the journal is not open yet, the process says that it is alive, that it is
// not ready and why, and it refuses events. Then it accepts them.
func TestHealthWhileStarting(t *testing.T) {
	t.Parallel()
	servers, _ := startNATS(t, 1)
	proxy := newGate(t, servers[0].Addr().String())
	for _, roles := range [][]string{{"dispatcher"}, nil} {
		g := process(t, files("nats://"+proxy.listener.Addr().String(), 1, nil), roles...)
		g.StartUntil("/healthz", http.StatusOK)
		if a := g.Do(http.MethodGet, "/readyz", ""); a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Body, "starting: opening the journal") {
			t.Errorf("/readyz while starting: %d %s", a.Status, a.Body)
		}
		a := g.Do(http.MethodPost, "/v1/events?key="+key, `{"event":"counted","deviceId":"d"}`)
		if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("an event while starting: %d %v", a.Status, a.Header)
		}
		if a := g.Do(http.MethodGet, "/metrics", ""); a.Status != http.StatusOK {
			t.Errorf("/metrics while starting: %d", a.Status)
		}
		if roles == nil { // it can be stopped before it has started
			g.Stop(15 * time.Second)
			continue
		}
		proxy.open()
		g.Await("it to be ready", time.Minute, func() bool { return g.Do(http.MethodGet, "/readyz", "").Status == http.StatusOK })
		if status, answer := g.Post(key, `{"event":"counted","deviceId":"d"}`); status != http.StatusOK {
			t.Errorf("an event once it is ready: %d %s", status, answer)
		}
		proxy = newGate(t, servers[0].Addr().String())
	}
}

// With DuckDB the loader belongs to the process that has the file, also while
// that is down, until an operator moves it.
func TestSecondLoaderIsRefused(t *testing.T) {
	t.Parallel()
	_, url := startNATS(t, 1)
	first, second := process(t, files(url, 1, nil), "loader"), process(t, files(url, 1, nil), "loader")
	first.Start()
	refused := func() {
		t.Helper()
		second.Launch()
		if code := second.Ended(time.Minute); code == 0 || !strings.Contains(second.LogTail(2000), "it is placed at another process") || !strings.Contains(second.LogTail(2000), "--adopt-warehouse") {
			t.Errorf("the second loader ended with %d:\n%s", code, second.LogTail(2000))
		}
	}
	refused()
	first.Stop(30 * time.Second)
	refused()
	first.Start() // its own is its own
	first.Stop(30 * time.Second)
	adopter := harness.New(t, files(url, 1, nil), "serve", "--role", "loader", "--adopt-warehouse")
	adopter.Start()
	first.Launch()
	if code := first.Ended(time.Minute); code == 0 {
		t.Error("the loader whose file was given up started again")
	}
}

// A tracker whose lane cannot be opened at a reload is not forgotten: the log says
// why, and it begins when it can. Its name is as long as names may be.
func TestTrackerThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	_, url := startNATS(t, 1)
	vendors := newVendors(t)[:2]
	added, long := vendors[1], "b-amplitude"+strings.Repeat("-long", 10)+"-64"
	added.line = strings.Replace(added.line, added.name, long, 1)
	g := process(t, files(url, 1, vendors[:1]))
	g.Start()
	deleteStream(t, url, "SPARROW_HOLDS") // where the lane's pins are
	g.Write("sparrow.yaml", files(url, 1, vendors)["sparrow.yaml"])
	g.Signal(syscall.SIGHUP)
	g.Await("the log to say what is wrong", time.Minute, func() bool {
		return strings.Contains(g.Log(), "a tracker's lane cannot be opened, will retry") && strings.Contains(g.Log(), "tracker "+long)
	})
	g.Await("the tracker to run", time.Minute, func() bool { return state(g, long) == "running" })
	if status, answer := g.Post(key, `{"event":"counted","deviceId":"device","properties":{"id":"after"}}`); status != http.StatusOK {
		t.Errorf("an event afterwards: %d %s", status, answer)
	}
	g.Await("both trackers to deliver", time.Minute, func() bool { return vendors[0].taken.Total() == 1 && added.taken.Total() == 1 })
}

// deleteStream deletes a stream of Sparrow's, as an operator may by mistake.
func deleteStream(t *testing.T, url, name string) {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err == nil {
		err = js.DeleteStream(t.Context(), name)
	}
	if err != nil {
		t.Fatal(err)
	}
}
