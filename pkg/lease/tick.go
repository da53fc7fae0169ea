package lease

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// keepTTLs is for how many TTLs a member keeps a lease that its owner did not
// claim. Without it, an owner that is alive and never claims would cost the work
// a pause of one TTL again and again.
const keepTTLs = 10

// tick reads the store, ends the terms that this member should not go on with,
// and claims the leases that it should have.
func (m *Member) tick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.ttl/renewals)
	defer cancel()
	now := newView()
	if err := m.store.Each(ctx, now.add); err != nil {
		return err
	}
	m.mu.Lock()
	now.merge(m.view)
	m.view = now
	err := m.checkNode()
	due := m.review(time.Now())
	m.mu.Unlock()
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range due {
		errs = append(errs, m.acquire(ctx, c))
	}
	return errors.Join(errs...)
}

// checkNode finds another process that runs under this member's node. The mutex
// is locked.
func (m *Member) checkNode() error {
	p := m.view.peers[m.node]
	if m.renewed == 0 || p.revision <= m.renewed || p.Incarnation == "" || p.Incarnation == m.incarnation {
		return nil
	}
	return fmt.Errorf("%w: %s; give each process a data directory of its own, and never a copy of another's", ErrDuplicateNode, p.Name)
}

// review ends the terms of leases that are lost or that belong to another member,
// and returns the claims whose leases should be acquired now, by name. The mutex is
// locked.
func (m *Member) review(now time.Time) (due []*claim) {
	m.metrics.members.Set(float64(len(m.view.candidates("", m.node, m.ttl))))
	for _, name := range slices.Sorted(maps.Keys(m.claims)) {
		c, l := m.claims[name], m.view.leases[name]
		owned := !c.balanced || Owner(name, m.view.candidates(name, m.node, m.ttl)) == m.node
		free := c.term == nil && now.After(c.cooldown) && m.vacant(l)
		switch {
		case !free:
			c.freeSince = time.Time{}
		case c.freeSince.IsZero():
			c.freeSince = now
		}
		unclaimed := free && now.Sub(c.freeSince) >= m.ttl
		switch {
		case c.term != nil && l.revision > c.term.revision:
			m.cut(c, "lost", errTakenOver)
		case c.term != nil && !owned && now.After(c.keep):
			m.cut(c, "given_up", errGivenUp)
		case free && (owned || unclaimed) && now.Before(m.deadline):
			if !owned {
				c.keep = now.Add(keepTTLs * m.ttl)
			}
			due = append(due, c)
		}
	}
	return due
}

// vacant reports whether nobody seems to have a lease: it was given back, or it
// is of an earlier incarnation of this node, or its holder is silent. The mutex is
// locked.
func (m *Member) vacant(l lease) bool {
	return l.Node == "" || l.Node == m.node || !m.view.alive(l.Node, l.Incarnation, m.ttl)
}

// acquire claims a lease that seems to be vacant. The view may come from a replica
// that lags behind, so the store's leader is asked whether the holder is silent,
// and the entry is replaced only if nobody else did so meanwhile.
func (m *Member) acquire(ctx context.Context, c *claim) error {
	m.mu.Lock()
	l := m.view.leases[c.name]
	m.mu.Unlock()
	if l.Node != "" && l.Node != m.node {
		if silent, err := m.silent(ctx, l); err != nil || !silent {
			return err
		}
	}
	revision, written, err := m.put(ctx, leasePrefix+c.name, m.holder(), &l.revision)
	if err != nil {
		return fmt.Errorf("acquire lease %s: %w", c.name, err)
	}
	if !written {
		return nil
	}
	if !m.grant(c, revision) {
		m.giveBack(c.name, revision)
		return nil
	}
	change := "taken"
	if l.Node != "" && l.Incarnation != m.incarnation {
		change = "taken_over"
	}
	m.metrics.changes.WithLabelValues(change).Inc()
	m.log.Info("lease taken", "lease", c.name, "before", l.Name)
	return nil
}

// silent asks the store's leader whether a lease's holder wrote nothing since
// this process last heard of it.
func (m *Member) silent(ctx context.Context, l lease) (bool, error) {
	m.mu.Lock()
	known := m.view.peers[l.Node].revision
	m.mu.Unlock()
	revision, value, err := m.store.Get(ctx, memberPrefix+l.Node)
	if err != nil {
		return false, fmt.Errorf("ask for the holder of a lease: %w", err)
	}
	return revision == known || decode[memberEntry](value).Incarnation != l.Incarnation, nil
}

// grant hands a lease to the work that waits for it. It returns false if that
// does not wait any more.
func (m *Member) grant(c *claim, revision uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.view.leases[c.name] = lease{m.holder(), revision}
	if m.claims[c.name] != c {
		return false
	}
	t := &term{revision: revision}
	t.ctx, t.end = context.WithCancelCause(context.Background())
	c.term, c.freeSince = t, time.Time{}
	c.granted <- t
	m.metrics.held.WithLabelValues(c.name).Set(1)
	return true
}
