package lease

import (
	"slices"
	"strings"
	"time"
)

// view is the store's entries as this process sees them. Member.mu guards it.
type view struct {
	peers  map[string]peer  // by node; this process is one of them
	leases map[string]lease // by name
}

// peer is a member's entry. Whether the member is alive is judged by this
// process's own clock, from when it first saw the entry.
type peer struct {
	memberEntry
	revision uint64
	seen     time.Time
}

// lease is a lease's entry.
type lease struct {
	holderEntry
	revision uint64
}

func newView() view {
	return view{peers: make(map[string]peer), leases: make(map[string]lease)}
}

// add takes one entry in.
func (v view) add(key string, revision uint64, value []byte) {
	if node, ok := strings.CutPrefix(key, memberPrefix); ok {
		v.peers[node] = peer{decode[memberEntry](value), revision, time.Now()}
	}
	if name, ok := strings.CutPrefix(key, leasePrefix); ok {
		v.leases[name] = lease{decode[holderEntry](value), revision}
	}
}

// merge keeps from an earlier view when each peer was first seen as it is, and
// what is newer there because this view comes from a replica that lags behind.
func (v view) merge(earlier view) {
	for node, p := range v.peers {
		if known, ok := earlier.peers[node]; ok && known.revision >= p.revision {
			v.peers[node] = known
		}
	}
	for name, l := range v.leases {
		if known := earlier.leases[name]; known.revision > l.revision {
			v.leases[name] = known
		}
	}
}

// alive reports whether an incarnation of a node was heard of within ttl.
func (v view) alive(node, incarnation string, ttl time.Duration) bool {
	p, known := v.peers[node]
	return known && p.Incarnation != "" && p.Incarnation == incarnation && time.Since(p.seen) < ttl
}

// candidates returns self, and the other nodes that are alive and ready for a
// balanced lease; for any, if name is "".
func (v view) candidates(name, self string, ttl time.Duration) []string {
	nodes := []string{self}
	for node, p := range v.peers {
		ready := slices.Contains(p.Ready, name) || name == "" && len(p.Ready) > 0
		if node != self && ready && v.alive(node, p.Incarnation, ttl) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}
