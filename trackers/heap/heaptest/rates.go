package heaptest

import (
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// The rates of the reference.
const (
	perApp      = 15_000 // events of bulk track in a minute (bulk-track)
	perIdentity = 1_000  // events of one identity in a minute (bulk-track)
	perCall     = 30     // calls about one identity in 30 seconds (track-1, add-user-properties)
	callSpan    = 30 * time.Second
)

// rates counts events in whole minutes, and calls that are about one identity in
// spans of 30 seconds.
type rates struct {
	now func() time.Time

	mu           sync.Mutex
	minute, span int64
	apps         map[string]int
	users, calls map[[2]string]int
}

// allow counts a request's events unless they are too many.
func (r *rates) allow(c call) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := r.now().Unix() / 60; minute != r.minute || r.apps == nil {
		r.minute, r.apps, r.users = minute, map[string]int{}, map[[2]string]int{}
	}
	if !c.bulk {
		return r.call(c.path, whose(c.events[0]))
	}
	more := map[[2]string]int{}
	for _, e := range c.events {
		who := [2]string{c.AppID, whose(e)}
		more[who]++
		if r.users[who]+more[who] > perIdentity {
			return false
		}
	}
	if r.apps[c.AppID]+len(c.events) > perApp {
		return false
	}
	r.apps[c.AppID] += len(c.events)
	for who, n := range more {
		r.users[who] += n
	}
	return true
}

// allowUserCall counts a call that sets properties or identities of users.
func (r *rates) allowUserCall(path string, users []vendortest.Entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, user := range users {
		if !r.call(path, whose(user)) {
			return false
		}
	}
	return true
}

// call counts one call about an identity.
func (r *rates) call(path, who string) bool {
	if span := r.now().Unix() / int64(callSpan/time.Second); span != r.span || r.calls == nil {
		r.span, r.calls = span, map[[2]string]int{}
	}
	key := [2]string{path, who}
	r.calls[key]++
	return r.calls[key] <= perCall
}

func whose(e vendortest.Entry) string { return e.User + "\x00" + e.Device }
