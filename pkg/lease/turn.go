package lease

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// turn looks at who does what, gives up what is others' part and takes what is
// this member's.
func (m *Member) turn(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, m.ttl/renewals)
	defer cancel()
	m.mu.Lock()
	before := m.roster
	m.mu.Unlock()
	now, err := readRoster(limited, m.board, before)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.roster = now
	twin := m.twin()
	p := m.look()
	for _, name := range p.surplus() {
		t := m.campaigns[name].tenure
		t.giving = true
		m.metrics.changes.WithLabelValues("given_up").Inc()
		m.log.Info("lease is given up for another process", "lease", name)
		t.end(errGivenUp)
	}
	wanted := m.wanted()
	m.mu.Unlock()
	if twin != nil {
		return twin
	}
	room := p.room()
	var errs []error
	for _, c := range wanted {
		if c.shared && room <= 0 && !p.must(c.name) {
			continue
		}
		took, err := m.take(limited, c)
		errs = append(errs, err)
		if took && c.shared {
			room--
		}
	}
	return errors.Join(errs...)
}

// twin tells of a process that stores sessions under this member's node. The
// lock is held.
func (m *Member) twin() error {
	s := m.roster.sessions[m.node]
	if m.heard == 0 || s.number <= m.heard || s.ID == "" || s.ID == m.session {
		return nil
	}
	return fmt.Errorf("%w: %s; give each process a data directory of its own, and never a copy of another's", ErrDuplicateNode, s.Name)
}

// look makes the picture of the shared work, and notes what was lost and what is
// free. The lock is held.
func (m *Member) look() picture {
	m.metrics.members.Set(float64(len(m.roster.peers(m.node, m.ttl)) + 1))
	p := picture{peers: m.roster.peers(m.node, m.ttl)}
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(m.campaigns)) {
		c := m.campaigns[name]
		l := m.roster.leases[name]
		if c.tenure != nil && l.number > c.tenure.number {
			m.lose(c, errTaken)
		}
		free := c.tenure == nil && now.After(c.barred) && m.vacant(l)
		switch {
		case !free:
			c.missed = time.Time{}
		case c.missed.IsZero():
			c.missed = now
		}
		if !c.shared {
			continue
		}
		p.wants = append(p.wants, name)
		if c.tenure != nil && !c.tenure.giving {
			p.holds = append(p.holds, name)
		}
		if free {
			p.free = append(p.free, name)
		}
		if free && now.Sub(c.missed) >= m.ttl {
			p.late = append(p.late, name)
		}
	}
	return p
}

// vacant reports whether nobody seems to have a lease: it was given back, was held
// by an earlier process of this node, or its holder is silent. The lock is held.
func (m *Member) vacant(l lease) bool {
	return l.Node == "" || l.Node == m.node || !m.roster.alive(l.Node, l.Session, m.ttl)
}

// wanted are the campaigns whose lease is free, in the order of their names,
// while this member's session is good. The lock is held.
func (m *Member) wanted() []*campaign {
	if !time.Now().Before(m.deadline) {
		return nil
	}
	var list []*campaign
	for _, name := range slices.Sorted(maps.Keys(m.campaigns)) {
		if c := m.campaigns[name]; !c.missed.IsZero() {
			list = append(list, c)
		}
	}
	return list
}

// take takes a free lease. The roster may come from a copy that is behind, so
// whoever leads is asked whether the holder is really silent, and the note is
// replaced only if nobody else did so meanwhile.
func (m *Member) take(ctx context.Context, c *campaign) (bool, error) {
	m.mu.Lock()
	l := m.roster.leases[c.name]
	m.mu.Unlock()
	if l.Node != "" && l.Node != m.node {
		silent, err := m.silent(ctx, l)
		if err != nil || !silent {
			return false, err
		}
	}
	number, written, err := m.write(ctx, leasePrefix+c.name, m.note(), &l.number)
	if err != nil {
		return false, fmt.Errorf("take lease %s: %w", c.name, err)
	}
	if !written {
		return false, nil
	}
	if !m.begin(c, number) {
		_, _, err := m.free(c.name, number)
		return false, err
	}
	change := "taken"
	if l.Node != "" && l.Session != m.session {
		change = "taken_over"
	}
	m.metrics.changes.WithLabelValues(change).Inc()
	m.log.Info("lease taken", "lease", c.name, "before", l.Name)
	return true, nil
}

// begin hands a lease to the work that waits for it. It returns false when that
// does not wait any more.
func (m *Member) begin(c *campaign, number uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roster = m.roster.with(c.name, lease{leaseNote: m.note(), number: number})
	if m.campaigns[c.name] != c {
		return false
	}
	t := &tenure{number: number}
	t.ctx, t.end = context.WithCancelCause(context.Background())
	c.tenure, c.missed = t, time.Time{}
	c.taken <- t
	m.metrics.held.WithLabelValues(c.name).Set(1)
	return true
}

// silent asks whoever leads whether a lease's holder has said anything since this
// process last heard of it.
func (m *Member) silent(ctx context.Context, l lease) (bool, error) {
	m.mu.Lock()
	known := m.roster.sessions[l.Node]
	m.mu.Unlock()
	number, text, err := m.board.Get(ctx, sessionPrefix+l.Node)
	if err != nil {
		return false, fmt.Errorf("ask for the holder of a lease: %w", err)
	}
	return number == known.number || decodeSession(text).ID != l.Session, nil
}
