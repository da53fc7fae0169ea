package trackertest

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// safeForConcurrentUse lets many goroutines translate and judge the same events
// at once and wants what one alone gets. The race detector sees the rest.
func safeForConcurrentUse(k *check) {
	const goroutines, rounds = 8, 5
	batch := Events(9, max(min(k.traits.MaxBatch, 60), 1))
	want, rejected := k.tracker.Requests(batch)
	var verdicts [][]tracker.Verdict
	for _, req := range want {
		verdicts = append(verdicts, k.tracker.Judge(req, answered(400, "{}", nil)))
	}
	var (
		wg      sync.WaitGroup
		start   = make(chan struct{})
		differs = make([]bool, goroutines)
		panics  = make([]string, goroutines)
	)
	for g := range goroutines {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panics[g] = fmt.Sprintf("%v\n%s", p, stack())
				}
			}()
			<-start
			for range rounds {
				requests, rejections := k.tracker.Requests(batch)
				differs[g] = differs[g] || !reflect.DeepEqual(requests, want) || !reflect.DeepEqual(rejections, rejected)
				for i, req := range want {
					differs[g] = differs[g] || !reflect.DeepEqual(k.tracker.Judge(req, answered(400, "{}", nil)), verdicts[i])
				}
			}
		})
	}
	close(start)
	wg.Wait()
	for g := range differs {
		if panics[g] != "" {
			k.failf("the tracker panics where several goroutines use it: %s", panics[g])
		}
		if differs[g] {
			k.failf("goroutine %d gets other requests or verdicts than one alone: the tracker has state that changes", g)
		}
	}
}
