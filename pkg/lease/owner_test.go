package lease_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/lease"
)

func nodesAndNames(nodes, names int) (n, m []string) {
	for i := range nodes {
		n = append(n, fmt.Sprint("node", i))
	}
	for i := range names {
		m = append(m, fmt.Sprint("lane-", i))
	}
	return n, m
}

// A node that comes takes over what it owns, and nothing else moves; so it is, the
// other way round, when it goes.
func TestOwnerMovesNoMoreThanItMust(t *testing.T) {
	nodes, names := nodesAndNames(8, 1000)
	for n := 1; n < len(nodes); n++ {
		moved := 0
		for _, name := range names {
			before, after := lease.Owner(name, nodes[:n]), lease.Owner(name, nodes[:n+1])
			if before != after && after != nodes[n] {
				t.Fatalf("%s moves from %s to %s when %s comes", name, before, after, nodes[n])
			}
			if before != after {
				moved++
			}
			turned := slices.Clone(nodes[:n+1])
			slices.Reverse(turned)
			if lease.Owner(name, turned) != after {
				t.Fatalf("the owner of %s depends on the order of nodes", name)
			}
		}
		if moved == 0 {
			t.Errorf("nothing moves to %s", nodes[n])
		}
	}
}

// The spread is what the package documentation says: m/n on average, and within
// four standard deviations of it.
func TestOwnerSpread(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 8} {
		nodes, names := nodesAndNames(n, 10_000)
		owned := map[string]int{}
		for _, name := range names {
			owned[lease.Owner(name, nodes)]++
		}
		share := float64(len(names)) / float64(n)
		deviation := math.Sqrt(share * (1 - 1/float64(n)))
		for _, node := range nodes {
			if off := math.Abs(float64(owned[node]) - share); off > 4*deviation {
				t.Errorf("%s of %d owns %d of %d, want %.0f±%.0f", node, n, owned[node], len(names), share, deviation)
			}
		}
	}
}

// ownedBy finds a piece of work that belongs to a node.
func ownedBy(node string, nodes ...string) string {
	for i := 0; ; i++ {
		if name := fmt.Sprint("lane-", i); lease.Owner(name, nodes) == node {
			return name
		}
	}
}

// Work whose owner is alive and does not claim it is done by another after one
// TTL, and kept for a while, so that it does not pause again and again.
func TestOwnerThatDoesNotClaim(t *testing.T) { synctest.Test(t, testOwnerThatDoesNotClaim) }

func testOwnerThatDoesNotClaim(t *testing.T) {
	cluster := &memoryStore{}
	name := ownedBy("idle", "a", "idle")
	ctx, stop := context.WithCancel(t.Context())
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		tick := time.NewTicker(ttl / 3)
		defer tick.Stop()
		for ctx.Err() == nil {
			_, _, _ = (&wire{store: cluster}).Put(ctx, "session.idle", []byte(`{"id":"1","name":"idle","shared":["`+name+`"]}`), nil)
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}()
	synctest.Wait()
	a := join(t, cluster, "a")
	a.begin(a.RunBalanced, name)
	begun := time.Now()
	eventually(t, "another to do the work", func() bool { return a.does(name) })
	if took := time.Since(begun); took < ttl || took > 2*ttl {
		t.Errorf("done after %v, want the owner to have one TTL", took)
	}
	pause := time.NewTicker(ttl)
	defer pause.Stop()
	for n := range 9 {
		<-pause.C
		if !a.does(name) {
			t.Fatalf("the work is given up %d TTLs later to an owner that does not claim it", n+1)
		}
	}
	stop()
	<-idle
}

// Work that was fenced off at its owner goes to another at once, and comes back
// when the owner may run it again.
func TestFencedWorkGoesToAnother(t *testing.T) { synctest.Test(t, testFencedWorkGoesToAnother) }

func testFencedWorkGoesToAnother(t *testing.T) {
	cluster := &memoryStore{}
	name := ownedBy("a", "a", "b")
	a, b := join(t, cluster, "a"), join(t, cluster, "b")
	ctx, cancel := context.WithCancel(t.Context())
	runs, ended := make(chan time.Time, 2), make(chan error, 1)
	b.begin(b.RunBalanced, name)
	eventually(t, "the only one that is ready to do the work", func() bool { return b.does(name) })
	go func() {
		ended <- a.RunBalanced(ctx, name, func(ctx context.Context) error {
			runs <- time.Now()
			if len(runs) == 1 {
				return lease.ErrFenced
			}
			<-ctx.Done()
			return nil
		})
	}()
	eventually(t, "the owner to be fenced off", func() bool { return len(runs) == 1 })
	fenced := time.Now()
	eventually(t, "the other to do the work", func() bool { return b.does(name) })
	if took := time.Since(fenced); took > ttl/3 {
		t.Errorf("it took %v until another did it", took)
	}
	eventually(t, "the owner to do it again", func() bool { return len(runs) == 2 && !b.does(name) })
	if away := time.Since(fenced); away < ttl {
		t.Errorf("it came back after %v", away)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
