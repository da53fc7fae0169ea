package lease_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestNeverTwo: whatever is cut off and for however long, no work runs in two
// processes at once, and in the end each runs in one.
func TestNeverTwo(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { neverTwo(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func neverTwo(t *testing.T, random *rand.Rand) {
	works := []string{"loader", "lane-a", "lane-b", "lane-c", "lane-d"}
	var mu sync.Mutex
	doing := map[string]string{} // node by work
	cluster := &memoryStore{}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var members []*member
	for _, node := range []string{"a", "b", "c"} {
		m := join(t, cluster, node)
		members = append(members, m)
		for i, name := range works {
			run := m.RunBalanced
			if i == 0 {
				run = m.RunHolding
			}
			all.Go(func() {
				err := run(ctx, name, func(ctx context.Context) error {
					mu.Lock()
					if other := doing[name]; other != "" {
						t.Errorf("%s runs at %s and at %s", name, other, node)
					}
					doing[name] = node
					mu.Unlock()
					<-ctx.Done()
					mu.Lock()
					delete(doing, name)
					mu.Unlock()
					return nil
				})
				if err != nil {
					t.Errorf("%s at %s: %v", name, node, err)
				}
			})
		}
	}
	pause := time.NewTimer(0)
	for range 100 {
		m := members[random.IntN(len(members))]
		if random.IntN(2) == 0 {
			m.wire.cut()
		} else {
			m.wire.mend()
		}
		pause.Reset(time.Duration(random.Int64N(int64(2 * ttl))))
		<-pause.C
	}
	for _, m := range members {
		m.wire.mend()
	}
	eventually(t, "each work to run", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(doing) == len(works)
	})
	cancel()
	all.Wait()
}

// A member that is cut off before it is asked for anything acquires nothing.
func TestCutOffFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := join(t, &memoryStore{}, "a")
		m.wire.cut()
		m.begin(m.RunHolding, "loader")
		late := time.NewTimer(10 * ttl)
		<-late.C
		if m.does("loader") {
			t.Error("it works without a lease")
		}
		if err := m.RunHolding(t.Context(), "loader", nil); err == nil {
			t.Error("a member runs one piece of work twice")
		}
		if err := m.RunHolding(t.Context(), "no such name", nil); err == nil {
			t.Error("a name may have spaces")
		}
		m.wire.mend()
		eventually(t, "it to work", func() bool { return m.does("loader") })
	})
}
