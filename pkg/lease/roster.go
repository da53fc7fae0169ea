package lease

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// session is a session's note as this process sees it. Whether it is alive is
// judged by this process's own clock, from when it first saw the note: clocks need
// not agree, and the board need not know of time.
type session struct {
	sessionNote
	number uint64
	seen   time.Time
}

// lease is a lease's note; Node is "" when it was given back.
type lease struct {
	leaseNote
	number uint64
}

// roster is the members and the leases as this process sees them. It is never
// changed, only replaced.
type roster struct {
	sessions map[string]session // by node
	leases   map[string]lease   // by name
}

// readRoster makes a roster of what is on the board, keeping from before when each
// session was first seen as it is.
func readRoster(ctx context.Context, board Store, before roster) (roster, error) {
	now := roster{sessions: make(map[string]session), leases: make(map[string]lease)}
	err := board.Each(ctx, func(name string, number uint64, text []byte) {
		if node, ok := strings.CutPrefix(name, sessionPrefix); ok {
			s := session{sessionNote: decodeSession(text), number: number, seen: time.Now()}
			if known, ok := before.sessions[node]; ok && known.number >= number {
				s = known
			}
			now.sessions[node] = s
		}
		if work, ok := strings.CutPrefix(name, leasePrefix); ok {
			l := lease{leaseNote: decodeLease(text), number: number}
			if known := before.leases[work]; known.number > number { // a copy that is behind
				l = known
			}
			now.leases[work] = l
		}
	})
	return now, err
}

// alive reports whether a session was heard of within ttl.
func (r roster) alive(node, id string, ttl time.Duration) bool {
	s, known := r.sessions[node]
	return known && s.ID != "" && s.ID == id && time.Since(s.seen) < ttl
}

// with is the roster with another note of a lease.
func (r roster) with(name string, l lease) roster {
	leases := maps.Clone(r.leases)
	if leases == nil {
		leases = make(map[string]lease)
	}
	leases[name] = l
	return roster{sessions: r.sessions, leases: leases}
}

// peers are the other members that are alive and ready to share work.
func (r roster) peers(self string, ttl time.Duration) []peer {
	var list []peer
	for node, s := range r.sessions {
		if node == self || len(s.Shared) == 0 || !r.alive(node, s.ID, ttl) {
			continue
		}
		p := peer{wants: s.Shared}
		for name, l := range r.leases {
			if l.Node == node && l.Session == s.ID && slices.Contains(s.Shared, name) {
				p.holds++
			}
		}
		list = append(list, p)
	}
	return list
}
