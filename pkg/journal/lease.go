package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Member is this process among those that share a journal. What must run in one
// process at a time (a lane, the loader) runs under a lease: one member has it,
// the others stand by and take it over when it is given up, or when nothing was
// heard of its holder for Config.Lease.
//
// A lease keeps processes out of each other's way; it is not what makes them
// safe. A process that was stopped, or cut off, may believe in a lease that it
// has lost until it looks at its clock. What it then publishes for a lane is
// refused with ErrFenced.
//
// With an embedded server there are no others, and every lease is granted at once.
type Member struct {
	j       *Journal
	node    string
	session string // of this process; node outlives it
	name    string
	span    time.Duration
	log     *slog.Logger
	changed chan struct{} // holds one signal: what this member wants is another

	mu        sync.Mutex
	begun     time.Time
	heard     uint64 // sequence of the last renewal
	deadline  time.Time
	expiry    *time.Timer // ends every tenure at the deadline
	campaigns map[string]*campaign
	roster    roster
}

// campaign is a piece of work that this process is ready to do.
type campaign struct {
	name   string
	shared bool
	taken  chan *tenure // holds the tenure that the worker has not seen yet
	tenure *tenure      // nil while standing by
	missed time.Time    // since when nobody does it
	barred time.Time    // until when it is not taken
}

// tenure is a lease that this process has.
type tenure struct {
	seq    uint64          // of the record
	ctx    context.Context // ends when the lease is lost or to be given up
	end    context.CancelCauseFunc
	giving bool
}

// Why a tenure ends.
var (
	errExpired  = errors.New("the lease could not be renewed in time")
	errTaken    = errors.New("another process took the lease over")
	errGivenUp  = errors.New("given up for another process to share the work")
	errReturned = errors.New("the work ended")
)

// ErrElsewhere is what Settle returns when something is at home with another
// process.
var ErrElsewhere = errors.New("another process is its home")

// Join makes this process a member under node, which names its data directory
// for good (1 to 96 letters, digits, "-" or "_"): a process that is started again
// on the same directory has its leases back at once. name is for people. Nothing
// is taken before Run runs.
func (j *Journal) Join(node, name string) (*Member, error) {
	if err := checkName(node); err != nil {
		return nil, fmt.Errorf("join journal: %w", err)
	}
	m := &Member{
		j: j, node: node, session: newEpoch() + newEpoch(), name: name, span: j.cfg.Lease, log: j.log,
		changed: make(chan struct{}, 1), campaigns: make(map[string]*campaign), begun: time.Now(),
	}
	m.expiry = time.AfterFunc(time.Hour, m.expire)
	m.expiry.Stop()
	return m, nil
}

// alone reports whether there can be no other member.
func (m *Member) alone() bool { return m.j.server != nil }

// Hold runs work while this process has the lease, and stands by while another
// has it. work must return soon after its context ends; the lease is given back
// when it has. Work that fails with ErrFenced, or after its lease was lost, is
// begun again when the lease is taken again. Hold returns nil when ctx ends, and
// otherwise what work returned by itself. Names are those of lanes; a member
// holds or shares one name once at a time.
func (m *Member) Hold(ctx context.Context, name string, work func(ctx context.Context) error) error {
	return m.campaign(ctx, name, false, work)
}

// Share is Hold for one of many pieces of work that are shared out: a process
// takes no more than its part of them, their number divided by that of the
// processes that are up, while others can do the rest, and gives up what it has
// beyond it.
func (m *Member) Share(ctx context.Context, name string, work func(ctx context.Context) error) error {
	return m.campaign(ctx, name, true, work)
}

func (m *Member) campaign(ctx context.Context, name string, shared bool, work func(ctx context.Context) error) error {
	if m.alone() {
		return work(ctx)
	}
	c, err := m.enter(name, shared)
	if err != nil {
		return err
	}
	defer m.exit(c)
	for {
		var t *tenure
		select {
		case t = <-c.taken:
		case <-ctx.Done():
			return nil
		}
		err := during(ctx, t, work)
		ended := t.ctx.Err() != nil
		m.giveBack(c, t, errors.Is(err, ErrFenced))
		switch {
		case errors.Is(err, ErrFenced):
			m.log.Warn("fenced off: another process does this work, standing by", "lease", name, "err", err)
		case ctx.Err() != nil || !ended:
			return err
		case err != nil:
			m.log.Warn("work under a lease that ended did not end well", "lease", name, "err", err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// during runs work until it returns; its context ends with ctx and the tenure.
func during(ctx context.Context, t *tenure, work func(ctx context.Context) error) error {
	own, end := context.WithCancelCause(ctx)
	defer end(errReturned)
	defer context.AfterFunc(t.ctx, func() { end(context.Cause(t.ctx)) })()
	return work(own)
}

func (m *Member) enter(name string, shared bool) (*campaign, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.campaigns[name] != nil {
		return nil, fmt.Errorf("lease %s: this process holds it or waits for it already", name)
	}
	c := &campaign{name: name, shared: shared, taken: make(chan *tenure, 1)}
	m.campaigns[name] = c
	m.j.metrics.leaseHeld.WithLabelValues(name).Set(0)
	m.poke()
	return c, nil
}

func (m *Member) exit(c *campaign) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c.tenure != nil { // taken, but ctx ended before work began
		t := c.tenure
		m.mu.Unlock()
		m.giveBack(c, t, false)
		m.mu.Lock()
	}
	delete(m.campaigns, c.name)
	m.j.metrics.leaseHeld.DeleteLabelValues(c.name)
	m.poke()
}

// giveBack ends a tenure whose work has ended. One that was fenced off leaves the
// work to whoever did that, for a while.
func (m *Member) giveBack(c *campaign, t *tenure, fenced bool) {
	t.end(errReturned)
	seq, err := m.free(c.name, t.seq)
	m.mu.Lock()
	defer m.mu.Unlock()
	c.tenure = nil
	m.j.metrics.leaseHeld.WithLabelValues(c.name).Set(0)
	if err == nil {
		m.roster = m.roster.with(c.name, lease{seq: seq})
	}
	if fenced {
		c.barred = time.Now().Add(m.span)
	}
	m.poke()
}

// free says that a lease is not held any more, so that another can begin at
// once. If that cannot be said, the lease runs out.
func (m *Member) free(name string, held uint64) (seq uint64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), min(requestLimit, m.span))
	defer cancel()
	seq, err = m.j.writes.put(ctx, leasePrefix+name, nil, &held)
	if err != nil && !errors.Is(err, ErrFenced) {
		m.log.Warn("a lease could not be given back, it runs out", "lease", name, "err", err)
	}
	return seq, err
}

// poke has Run look again at once.
func (m *Member) poke() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Holder is who has a lease.
type Holder struct {
	Name  string // for people
	Self  bool   // this process
	Alive bool   // it was heard of within Config.Lease
}

// Holder returns who has a lease, as this process knows it; ok is false when
// nobody has it, or there is nobody else.
func (m *Member) Holder(name string) (h Holder, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, held := m.roster.leases[name]
	if !held || l.Node == "" {
		return Holder{}, false
	}
	return Holder{Name: l.Name, Self: l.Session == m.session, Alive: m.roster.alive(l.Node, l.Session, m.span)}, true
}

// Silent is for how long nothing was heard of a member, as this process knows
// it; 0 of one that is there.
func (m *Member) Silent(node string) time.Duration {
	if node == m.node {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	since := m.begun
	if s, known := m.roster.sessions[node]; known && s.seen.After(since) {
		since = s.seen
	}
	if silent := time.Since(since); silent >= m.span {
		return silent
	}
	return 0
}

// Settle makes this process the home of something that is in one place for good,
// such as a file on its disk, if it has none yet. If another process is its home,
// the error wraps ErrElsewhere, unless move is set: then the home is moved here.
func (m *Member) Settle(ctx context.Context, what string, move bool) error {
	if m.alone() {
		return nil
	}
	if err := m.settle(ctx, what, move); err != nil {
		return fmt.Errorf("settle %s: %w", what, err)
	}
	return nil
}

func (m *Member) settle(ctx context.Context, what string, move bool) error {
	if err := checkName(what); err != nil {
		return err
	}
	last, err := m.j.writes.get(ctx, leasesStream, getRequest{LastFor: homePrefix + what})
	if err != nil && !errors.Is(err, ErrGone) {
		return m.j.unavailable(ctx, err)
	}
	var home leaseRecord
	if err == nil {
		home = decodeLease(last.Data)
	}
	switch {
	case home.Node == m.node:
		return nil
	case home.Node != "" && !move:
		return fmt.Errorf("%w: %s, since %s", ErrElsewhere, home.Name, home.Since.Format(time.RFC3339))
	}
	_, err = m.j.writes.put(ctx, homePrefix+what, m.record(), &last.Seq)
	if errors.Is(err, ErrFenced) {
		return fmt.Errorf("%w: it took it just now", ErrElsewhere)
	}
	if err != nil {
		return m.j.unavailable(ctx, err)
	}
	m.log.Info("this process is the home", "of", what, "before", home.Name)
	return nil
}

func (m *Member) record() leaseRecord {
	return leaseRecord{Node: m.node, Session: m.session, Name: m.name, Since: time.Now().UTC().Truncate(time.Second)}
}
