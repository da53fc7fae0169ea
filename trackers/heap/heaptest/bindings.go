package heaptest

import (
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// perMonth is how many visitors one user may be bound to in a month.
const perMonth = 10

// maxBindings bounds how many visitors are remembered.
const maxBindings = 1 << 16

// bindings is which user each visitor of Heap's browser SDK was bound to. What
// breaks a rule here Heap answers like any other call, and drops.
type bindings struct {
	now func() time.Time

	mu    sync.Mutex
	users map[string]string // by visitor
	count map[string]int    // visitors of a user, by the user and the month
}

// add remembers what identify says, and tells what of it Heap would drop.
func (b *bindings) add(entries []vendortest.Entry) (dropped []vendortest.Violation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users == nil || len(b.users) >= maxBindings {
		b.users, b.count = map[string]string{}, map[string]int{}
	}
	month := ""
	if b.now != nil {
		month = b.now().UTC().Format("2006-01 ")
	}
	for _, e := range entries {
		if e.Device == "" {
			continue // properties, which bind nobody
		}
		user, bound := b.users[e.Device]
		switch {
		case bound && user != e.User:
			dropped = append(dropped, vendortest.Violation{Rule: "identify", Detail: "the user_id is bound to another identity"})
		case bound:
		case b.count[month+e.User] == perMonth:
			dropped = append(dropped, vendortest.Violation{Rule: "identify", Detail: "an eleventh user_id of one identity in a month"})
		default:
			b.users[e.Device] = e.User
			b.count[month+e.User]++
		}
	}
	return dropped
}
