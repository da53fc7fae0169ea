package journal

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// sessionRecord says that a member is alive: it is stored anew three times in
// each Config.Lease.
type sessionRecord struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Shared []string `json:"shared,omitempty"` // the work it is ready to share
}

// leaseRecord says who has a lease, for as long as that session lives.
type leaseRecord struct {
	Node    string    `json:"node"`
	Session string    `json:"session"`
	Name    string    `json:"name"`
	Since   time.Time `json:"since"`
}

// decodeLease reads a record; one that says nothing, or cannot be read, is
// nobody's.
func decodeLease(data []byte) leaseRecord {
	var r leaseRecord
	if json.Unmarshal(data, &r) != nil {
		return leaseRecord{}
	}
	return r
}

// decodeSession is decodeLease for a session.
func decodeSession(data []byte) sessionRecord {
	var r sessionRecord
	if json.Unmarshal(data, &r) != nil {
		return sessionRecord{}
	}
	return r
}

// session is a session's record as this process sees it. Whether it is alive is
// judged by this process's own clock, from when it first saw the record: clocks
// need not agree, and the servers need not know of time.
type session struct {
	sessionRecord
	seq  uint64
	seen time.Time
}

// lease is a lease's record; Node is "" when it was given back.
type lease struct {
	leaseRecord
	seq uint64
}

// roster is the members and the leases as this process sees them. It is never
// changed, only replaced.
type roster struct {
	sessions map[string]session // by node
	leases   map[string]lease   // by name
}

// read makes a roster of what is stored, keeping from before when each session
// was first seen as it is.
func (l *link) roster(ctx context.Context, before roster) (roster, error) {
	now := roster{sessions: make(map[string]session), leases: make(map[string]lease)}
	err := l.each(ctx, leasesStream, func(subject string, seq uint64, data []byte) {
		if node, ok := strings.CutPrefix(subject, sessionPrefix); ok {
			s := session{sessionRecord: decodeSession(data), seq: seq, seen: time.Now()}
			if known, ok := before.sessions[node]; ok && known.seq >= seq {
				s = known
			}
			now.sessions[node] = s
		}
		if name, ok := strings.CutPrefix(subject, leasePrefix); ok {
			record := lease{leaseRecord: decodeLease(data), seq: seq}
			if known := before.leases[name]; known.seq > seq { // a replica that is behind
				record = known
			}
			now.leases[name] = record
		}
	})
	return now, err
}

// alive reports whether a session was heard of within span.
func (r roster) alive(node, id string, span time.Duration) bool {
	s, known := r.sessions[node]
	return known && s.ID != "" && s.ID == id && time.Since(s.seen) < span
}

// with is the roster with another record of a lease.
func (r roster) with(name string, l lease) roster {
	leases := maps.Clone(r.leases)
	if leases == nil {
		leases = make(map[string]lease)
	}
	leases[name] = l
	return roster{sessions: r.sessions, leases: leases}
}

// peers are the other members that are alive and ready to share work.
func (r roster) peers(self string, span time.Duration) []peer {
	var list []peer
	for node, s := range r.sessions {
		if node == self || len(s.Shared) == 0 || !r.alive(node, s.ID, span) {
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
