package heaptest

import (
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// The rates of the bulk track reference.
const (
	perApp      = 15_000 // events a minute
	perIdentity = 1_000
)

// rates counts events in whole minutes.
type rates struct {
	now func() time.Time

	mu     sync.Mutex
	minute int64
	apps   map[string]int
	users  map[[2]string]int
}

// allow counts a request's events unless they are too many.
func (r *rates) allow(app string, events []vendortest.Entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := r.now().Unix() / 60; minute != r.minute || r.apps == nil {
		r.minute, r.apps, r.users = minute, map[string]int{}, map[[2]string]int{}
	}
	more := map[[2]string]int{}
	for _, e := range events {
		who := [2]string{app, e.User + "\x00" + e.Device}
		more[who]++
		if r.users[who]+more[who] > perIdentity {
			return false
		}
	}
	if r.apps[app]+len(events) > perApp {
		return false
	}
	r.apps[app] += len(events)
	for who, n := range more {
		r.users[who] += n
	}
	return true
}
