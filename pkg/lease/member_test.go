package lease_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/lease"
)

const ttl = 15 * time.Second

// member is a process in the test, and what it does at the moment.
type member struct {
	*lease.Member
	t     *testing.T
	node  string
	wire  *wire // between it and the store
	stop  func()
	ended chan error

	mu   sync.Mutex
	busy map[string]bool
	done map[string]chan struct{}
	ends map[string]context.CancelFunc
}

// join starts a member. Its wire to the store can be cut.
func join(t *testing.T, s *memoryStore, node string) *member {
	t.Helper()
	m := &member{t: t, node: node, wire: &wire{store: s}, busy: map[string]bool{}, done: map[string]chan struct{}{}, ends: map[string]context.CancelFunc{}}
	var err error
	m.Member, err = lease.Join(m.wire, lease.Config{TTL: ttl}, lease.Options{
		Node: node, Name: "process " + node, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)).With("node", node),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.ended = make(chan error, 1)
	go func() { m.ended <- m.Run(ctx) }()
	var once sync.Once
	m.stop = func() {
		once.Do(func() {
			m.mu.Lock()
			works := make([]string, 0, len(m.ends))
			for name := range m.ends {
				works = append(works, name)
			}
			m.mu.Unlock()
			for _, name := range works {
				m.quit(name)
			}
			cancel()
			if err := <-m.ended; err != nil && !errors.Is(err, lease.ErrDuplicateNode) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(m.stop)
	return m
}

// eventually waits, by the bubble's clock, until check holds.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * ttl)
	for !check() {
		select {
		case <-tick.C:
			synctest.Wait()
		case <-limit:
			t.Fatalf("never came: %s", what)
		}
	}
}

// begin has the member run work, by RunHolding or RunBalanced, until quit.
func (m *member) begin(run func(context.Context, string, func(context.Context) error) error, name string) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	m.mu.Lock()
	m.ends[name], m.done[name] = cancel, done
	m.mu.Unlock()
	go func() {
		defer close(done)
		err := run(ctx, name, func(ctx context.Context) error {
			m.set(name, true)
			defer m.set(name, false)
			<-ctx.Done()
			return nil
		})
		if err != nil {
			m.t.Errorf("run %s: %v", name, err)
		}
	}()
}

func (m *member) set(name string, busy bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy[name] = busy
}

func (m *member) quit(name string) {
	m.mu.Lock()
	end, done := m.ends[name], m.done[name]
	delete(m.ends, name)
	m.mu.Unlock()
	if end != nil {
		end()
		<-done
	}
}

// doing is what the member works at, sorted.
func (m *member) doing() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []string
	for name, busy := range m.busy {
		if busy {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func (m *member) does(name string) bool { return slices.Contains(m.doing(), name) }

func TestNobodyElse(t *testing.T) {
	m, err := lease.Join(nil, lease.DefaultConfig(), lease.Options{Node: "only"})
	if err != nil {
		t.Fatal(err)
	}
	said := errors.New("said")
	if err := m.RunHolding(t.Context(), "loader", func(context.Context) error { return said }); !errors.Is(err, said) {
		t.Errorf("want what the work returned, got %v", err)
	}
	if err := m.Place(t.Context(), "warehouse", false); err != nil {
		t.Error(err)
	}
	if _, held := m.Holder("loader"); held || m.SilentFor("another") < 0 {
		t.Error("somebody else is there")
	}
	if _, err := lease.Join(nil, lease.DefaultConfig(), lease.Options{Node: "no such name"}); err == nil {
		t.Error("a node's name may have spaces")
	}
	if _, err := lease.Join(nil, lease.Config{TTL: time.Millisecond}, lease.Options{Node: "only"}); err == nil {
		t.Error("no time is too short")
	}
}

// One member works, another stands by, takes over at once when the work is given
// back, and within the lease and a little when its holder is cut off.
func TestTakeOver(t *testing.T) { synctest.Test(t, testTakeOver) }

func testTakeOver(t *testing.T) {
	cluster := &memoryStore{}
	a, b := join(t, cluster, "a"), join(t, cluster, "b")
	a.begin(a.RunHolding, "loader")
	eventually(t, "the first to work", func() bool { return a.does("loader") })
	b.begin(b.RunHolding, "loader")
	eventually(t, "the second to know who does it", func() bool {
		h, held := b.Holder("loader")
		return held && h.Name == "process a" && h.Alive && !h.Self
	})
	a.quit("loader")
	eventually(t, "the second to take over", func() bool { return b.does("loader") })
	a.begin(a.RunHolding, "loader")
	b.wire.cut()
	cutOff := time.Now()
	eventually(t, "the one that is cut off to stop", func() bool { return !b.does("loader") })
	if a.does("loader") {
		t.Error("both work")
	}
	eventually(t, "the first to take over", func() bool { return a.does("loader") })
	if took := time.Since(cutOff); took > 4*ttl {
		t.Errorf("it took %v to take over", took)
	}
	b.wire.mend()
	eventually(t, "the second to know that it lost", func() bool { h, _ := b.Holder("loader"); return h.Name == "process a" && h.Alive })
	if b.does("loader") {
		t.Error("both work")
	}
}

// Each piece of work runs at its owner, and moves when a process comes, goes or
// dies.
func TestBalancedWork(t *testing.T) { synctest.Test(t, testBalancedWork) }

func testBalancedWork(t *testing.T) {
	cluster := &memoryStore{}
	works := []string{"lane-a", "lane-b", "lane-c", "lane-d", "lane-e"}
	a, b := join(t, cluster, "a"), join(t, cluster, "b")
	for _, name := range works {
		a.begin(a.RunBalanced, name)
	}
	eventually(t, "the first to do everything", func() bool { return len(a.doing()) == 5 })
	for _, name := range works {
		b.begin(b.RunBalanced, name)
	}
	balanced := func(members ...*member) bool {
		var nodes []string
		for _, m := range members {
			nodes = append(nodes, m.node)
		}
		for _, m := range members {
			owned := slices.DeleteFunc(slices.Clone(works), func(name string) bool { return lease.Owner(name, nodes) != m.node })
			if !slices.Equal(m.doing(), owned) {
				return false
			}
		}
		return true
	}
	eventually(t, "two to share the work", func() bool { return balanced(a, b) })
	c := join(t, cluster, "c")
	for _, name := range works {
		c.begin(c.RunBalanced, name)
	}
	eventually(t, "three to share the work", func() bool { return balanced(a, b, c) })
	b.wire.cut()
	eventually(t, "the work of one that is cut off to be shared", func() bool { return balanced(a, c) && len(b.doing()) == 0 })
	b.wire.mend()
	eventually(t, "three to share the work again", func() bool { return balanced(a, b, c) })
	a.stop()
	eventually(t, "the work of one that left to be shared", func() bool { return balanced(b, c) })
	// What only one is ready to do, it does, however much it is.
	for _, name := range works {
		c.quit(name)
	}
	eventually(t, "the last to do everything", func() bool { return len(b.doing()) == 5 })
}

// A process that is started again on its directory need not wait.
func TestSameNodeAgain(t *testing.T) { synctest.Test(t, testSameNodeAgain) }

func testSameNodeAgain(t *testing.T) {
	cluster := &memoryStore{}
	a := join(t, cluster, "a")
	a.begin(a.RunHolding, "loader")
	eventually(t, "it to work", func() bool { return a.does("loader") })
	a.wire.cut() // as if it were killed: it cannot say that it goes
	b := join(t, cluster, "a")
	b.begin(b.RunHolding, "loader")
	begun := time.Now()
	eventually(t, "its successor to work", func() bool { return b.does("loader") })
	if took := time.Since(begun); took > ttl {
		t.Errorf("it took %v, as if it were another node", took)
	}
	a.wire.mend()
	if err := <-a.ended; !errors.Is(err, lease.ErrDuplicateNode) {
		t.Errorf("two processes of one node: want ErrDuplicateNode, got %v", err)
	}
	a.ended <- nil
}

// Work that was fenced off stands by, without fighting whoever did it.
func TestFencedWork(t *testing.T) { synctest.Test(t, testFencedWork) }

func testFencedWork(t *testing.T) {
	cluster := &memoryStore{}
	a := join(t, cluster, "a")
	begun := make(chan time.Time, 2)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- a.RunHolding(ctx, "lane-a", func(ctx context.Context) error {
			begun <- time.Now()
			if len(begun) == 1 {
				return fmt.Errorf("publish: %w", lease.ErrFenced)
			}
			<-ctx.Done()
			return nil
		})
	}()
	eventually(t, "the work to begin again", func() bool { return len(begun) == 2 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if first, second := <-begun, <-begun; second.Sub(first) < ttl {
		t.Errorf("it came back after %v", second.Sub(first))
	}
	failed := errors.New("failed")
	if err := a.RunHolding(t.Context(), "lane-a", func(context.Context) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("want the work's own error, got %v", err)
	}
}

func TestPlace(t *testing.T) { synctest.Test(t, testPlace) }

func testPlace(t *testing.T) {
	cluster := &memoryStore{}
	a, b := join(t, cluster, "a"), join(t, cluster, "b")
	for range 2 {
		if err := a.Place(t.Context(), "warehouse", false); err != nil {
			t.Error(err)
		}
	}
	if err := b.Place(t.Context(), "warehouse", false); !errors.Is(err, lease.ErrPlacedElsewhere) {
		t.Errorf("want ErrPlacedElsewhere, got %v", err)
	}
	if err := b.Place(t.Context(), "warehouse", true); err != nil {
		t.Error(err)
	}
	if err := a.Place(t.Context(), "warehouse", false); !errors.Is(err, lease.ErrPlacedElsewhere) {
		t.Errorf("want ErrPlacedElsewhere, got %v", err)
	}
}

// Members come and go; those who are gone are known to be.
func TestSilentFor(t *testing.T) { synctest.Test(t, testSilentFor) }

func testSilentFor(t *testing.T) {
	cluster := &memoryStore{}
	a, b := join(t, cluster, "a"), join(t, cluster, "b")
	a.begin(a.RunHolding, "loader")
	eventually(t, "it to work", func() bool { return a.does("loader") })
	if silent := a.SilentFor("b"); silent != 0 {
		t.Errorf("silent for %v while it is there", silent)
	}
	b.stop()
	eventually(t, "it to be missed", func() bool { return a.SilentFor("b") > ttl && a.SilentFor("never there") > ttl })
	if a.SilentFor("a") != 0 {
		t.Error("it misses itself")
	}
}
