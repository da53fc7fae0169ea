package lease

import "strings"

// What the tests, which are outside, may reach.

// Peer is another member that shares work.
type Peer = peer

// NewPeer is ready to do the words of wants, and does some of them.
func NewPeer(wants string, holds int) Peer { return peer{wants: strings.Fields(wants), holds: holds} }

// Decide is what a member takes and gives up.
func Decide(wants, holds, free, late []string, peers []Peer) (take, give []string) {
	p := picture{wants: wants, holds: holds, free: free, late: late, peers: peers}
	room := p.room()
	for _, name := range free {
		if room > 0 || p.must(name) {
			take = append(take, name)
			room--
		}
	}
	return take, p.surplus()
}
