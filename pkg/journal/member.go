package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	renewals  = 3  // in each Config.Lease
	looks     = 15 // in each Config.Lease
	safety    = 5  // a holder gives up this part of Config.Lease before others may take over
	leaveTime = 2 * time.Second
)

// ErrTwins is what Member.Run returns when another process is a member under the
// same node: its data directory is a copy of this one's.
var ErrTwins = errors.New("another process goes by the same name in the cluster")

// Run keeps this member's session and leases until ctx ends, and returns nil
// then. It returns an error that wraps ErrTwins when it must not go on. It may
// run once, and is to outlive all work under leases.
func (m *Member) Run(ctx context.Context) error {
	if m.alone() {
		<-ctx.Done()
		return nil
	}
	defer m.expiry.Stop()
	look := time.NewTicker(m.span / looks)
	defer look.Stop()
	renew := time.NewTicker(m.span / renewals)
	defer renew.Stop()
	failing := make(map[string]bool)
	m.poke()
	for {
		due := false
		select {
		case <-ctx.Done():
			m.leave()
			return nil
		case <-renew.C:
			due = true
		case <-m.changed:
			due = true
		case <-look.C:
		}
		if due || m.overdue() {
			if err := m.renew(ctx); ctx.Err() == nil {
				m.j.logChange(failing, "renew session", err)
			}
		}
		err := m.turn(ctx)
		if errors.Is(err, ErrTwins) {
			return fmt.Errorf("keep leases: %w", err)
		}
		if ctx.Err() == nil {
			m.j.logChange(failing, "look for leases", err)
		}
	}
}

// overdue reports whether the last renewal did not succeed.
func (m *Member) overdue() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Until(m.deadline) < m.span/renewals
}

// renew stores this member's session anew. Its leases are good for Config.Lease
// from before that was sent, less a margin.
func (m *Member) renew(ctx context.Context) error {
	m.mu.Lock()
	s := sessionRecord{ID: m.session, Name: m.name}
	for name, c := range m.campaigns {
		if c.shared {
			s.Shared = append(s.Shared, name)
		}
	}
	m.mu.Unlock()
	slices.Sort(s.Shared)
	sent := time.Now()
	limited, cancel := context.WithTimeout(ctx, m.span/renewals)
	defer cancel()
	seq, err := m.j.writes.put(limited, sessionPrefix+m.node, s, nil)
	if errors.Is(err, nats.ErrNoResponders) { // somebody deleted the stream
		err = errors.Join(err, m.j.prepare(ctx))
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = max(m.heard, seq)
	m.deadline = sent.Add(m.span - m.span/safety)
	m.expiry.Reset(time.Until(m.deadline))
	return nil
}

// expire ends every tenure once the session could not be renewed in time. A
// process that was stopped comes here as soon as it goes on.
func (m *Member) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Now().Before(m.deadline) {
		return
	}
	for _, c := range m.campaigns {
		m.lose(c, errExpired)
	}
}

// lose ends a tenure that is not this member's any more. The lock is held.
func (m *Member) lose(c *campaign, why error) {
	if c.tenure == nil || c.tenure.ctx.Err() != nil {
		return
	}
	m.j.metrics.leaseChanges.WithLabelValues("lost").Inc()
	m.log.Warn("lease lost, standing by", "lease", c.name, "err", why)
	c.tenure.end(why)
}

// leave says that this member is gone. Its leases were given back already.
func (m *Member) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), min(leaveTime, m.span))
	defer cancel()
	if _, err := m.j.writes.put(ctx, sessionPrefix+m.node, nil, nil); err != nil {
		m.log.Warn("the others are not told that this process is gone, they will notice", "err", err)
	}
}

// turn looks at who does what, gives up what is others' part and takes what is
// this member's.
func (m *Member) turn(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, m.span/renewals)
	defer cancel()
	m.mu.Lock()
	before := m.roster
	m.mu.Unlock()
	now, err := m.j.reads.roster(limited, before)
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
		m.j.metrics.leaseChanges.WithLabelValues("given_up").Inc()
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
	if m.heard == 0 || s.seq <= m.heard || s.ID == "" || s.ID == m.session {
		return nil
	}
	return fmt.Errorf("%w: %s; give each process a data directory of its own, and never a copy of another's", ErrTwins, s.Name)
}

// look makes the picture of the shared work, and notes what was lost and what is
// free. The lock is held.
func (m *Member) look() picture {
	m.j.metrics.members.Set(float64(len(m.roster.peers(m.node, m.span)) + 1))
	p := picture{peers: m.roster.peers(m.node, m.span)}
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(m.campaigns)) {
		c := m.campaigns[name]
		l := m.roster.leases[name]
		if c.tenure != nil && l.seq > c.tenure.seq {
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
		if free && now.Sub(c.missed) >= m.span {
			p.late = append(p.late, name)
		}
	}
	return p
}

// vacant reports whether nobody seems to have a lease: it was given back, was held
// by an earlier process of this node, or its holder is silent. The lock is held.
func (m *Member) vacant(l lease) bool {
	return l.Node == "" || l.Node == m.node || !m.roster.alive(l.Node, l.Session, m.span)
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

// take takes a free lease. The roster may come from a replica that is behind, so
// the servers' leader is asked whether the holder is really silent, and the
// record is replaced only if nobody else did so meanwhile.
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
	seq, err := m.j.writes.put(ctx, leasePrefix+c.name, m.record(), &l.seq)
	if errors.Is(err, ErrFenced) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take lease %s: %w", c.name, err)
	}
	if !m.begin(c, seq) {
		_, err := m.free(c.name, seq)
		return false, err
	}
	change := "taken"
	if l.Node != "" && l.Session != m.session {
		change = "taken_over"
	}
	m.j.metrics.leaseChanges.WithLabelValues(change).Inc()
	m.log.Info("lease taken", "lease", c.name, "before", l.Name)
	return true, nil
}

// begin hands a lease to the work that waits for it. It returns false when that
// does not wait any more.
func (m *Member) begin(c *campaign, seq uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roster = m.roster.with(c.name, lease{leaseRecord: m.record(), seq: seq})
	if m.campaigns[c.name] != c {
		return false
	}
	t := &tenure{seq: seq}
	t.ctx, t.end = context.WithCancelCause(context.Background())
	c.tenure, c.missed = t, time.Time{}
	c.taken <- t
	m.j.metrics.leaseHeld.WithLabelValues(c.name).Set(1)
	return true
}

// silent asks the leader whether a lease's holder has said anything since this
// process last heard of it.
func (m *Member) silent(ctx context.Context, l lease) (bool, error) {
	m.mu.Lock()
	known := m.roster.sessions[l.Node]
	m.mu.Unlock()
	last, err := m.j.writes.get(ctx, leasesStream, getRequest{LastFor: sessionPrefix + l.Node})
	if errors.Is(err, ErrGone) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask for the holder of a lease: %w", err)
	}
	return last.Seq == known.seq || decodeSession(last.Data).ID != l.Session, nil
}
