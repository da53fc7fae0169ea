package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// ErrFenced is what work returns when what it writes to refused it, because
// another process has written there.
var ErrFenced = errors.New("another process does this work")

// giveBackLimit bounds the write that gives a lease back.
const giveBackLimit = 5 * time.Second

// claim is a piece of work that this process is ready to do. Member.mu guards
// all that changes.
type claim struct {
	name     string
	balanced bool
	granted  chan *term // holds the term that the work has not seen yet

	term      *term     // nil while standing by
	freeSince time.Time // since when nobody has the lease; zero if somebody has it
	cooldown  time.Time // the lease is not acquired before
	keep      time.Time // the lease is not given up before
}

// term is the time during which this process has a lease.
type term struct {
	revision uint64          // of the lease's entry
	ctx      context.Context // ends when the lease is lost or to be given up
	end      context.CancelCauseFunc
}

// Why a term ends.
var (
	errExpired   = errors.New("the membership could not be renewed in time")
	errTakenOver = errors.New("another process took the lease over")
	errGivenUp   = errors.New("another process is the owner")
	errReturned  = errors.New("the work ended")
)

// RunHolding runs work while this process has the lease, and stands by while
// another has it. work must return soon after its context ends; then the lease is
// given back. Work that fails with ErrFenced, or that ends after its lease was
// lost, is run again when the lease is acquired again. RunHolding returns nil when
// ctx ends, and otherwise what work returned by itself. Names are 1 to 96 letters,
// digits, "-" or "_". A member may run each name once at a time.
func (m *Member) RunHolding(ctx context.Context, name string, work func(ctx context.Context) error) error {
	return m.run(ctx, name, false, work)
}

// RunBalanced is RunHolding for one of many pieces of work that are spread over
// the members: this one runs it while it is the lease's owner, or while the owner
// does not.
func (m *Member) RunBalanced(ctx context.Context, name string, work func(ctx context.Context) error) error {
	return m.run(ctx, name, true, work)
}

func (m *Member) run(ctx context.Context, name string, balanced bool, work func(ctx context.Context) error) error {
	if m.store == nil {
		return work(ctx)
	}
	c, err := m.addClaim(name, balanced)
	if err != nil {
		return err
	}
	defer m.removeClaim(c)
	for {
		var t *term
		select {
		case t = <-c.granted:
		case <-ctx.Done():
			return nil
		}
		err := runTerm(ctx, t, work)
		ended := t.ctx.Err() != nil
		m.endTerm(c, t, errors.Is(err, ErrFenced))
		switch {
		case errors.Is(err, ErrFenced):
			m.log.Warn("fenced off: another process does this work, standing by", "lease", name, "err", err)
		case ctx.Err() != nil || !ended:
			return err
		case err != nil:
			m.log.Warn("work failed after its lease had ended", "lease", name, "err", err)
		}
	}
}

// runTerm runs work until it returns; its context ends with ctx and the term.
func runTerm(ctx context.Context, t *term, work func(ctx context.Context) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(errReturned)
	defer context.AfterFunc(t.ctx, func() { end(context.Cause(t.ctx)) })()
	return work(ctx)
}

func (m *Member) addClaim(name string, balanced bool) (*claim, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.claims[name] != nil {
		return nil, fmt.Errorf("lease %s: this process holds it or waits for it already", name)
	}
	c := &claim{name: name, balanced: balanced, granted: make(chan *term, 1)}
	m.claims[name] = c
	m.metrics.held.WithLabelValues(name).Set(0)
	m.wake()
	return c, nil
}

func (m *Member) removeClaim(c *claim) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c.term != nil { // granted, but ctx ended before the work began
		t := c.term
		m.mu.Unlock()
		m.endTerm(c, t, false)
		m.mu.Lock()
	}
	delete(m.claims, c.name)
	m.metrics.held.DeleteLabelValues(c.name)
	m.wake()
}

// endTerm ends a term whose work has ended, and gives the lease back. A claim that
// was fenced off leaves the work to whoever does it, for one TTL.
func (m *Member) endTerm(c *claim, t *term, fenced bool) {
	t.end(errReturned)
	revision, written := m.giveBack(c.name, t.revision)
	m.mu.Lock()
	defer m.mu.Unlock()
	c.term = nil
	m.metrics.held.WithLabelValues(c.name).Set(0)
	if written {
		m.view.leases[c.name] = lease{revision: revision}
	}
	if fenced {
		c.cooldown = time.Now().Add(m.ttl)
	}
	m.wake()
}

// giveBack empties a lease's entry, so that another member can begin at once. If
// that fails, the lease runs out.
func (m *Member) giveBack(name string, held uint64) (revision uint64, written bool) {
	ctx, cancel := context.WithTimeout(context.Background(), min(giveBackLimit, m.ttl))
	defer cancel()
	revision, written, err := m.store.Put(ctx, leasePrefix+name, nil, &held)
	if err != nil {
		m.log.Warn("a lease could not be given back, it runs out", "lease", name, "err", err)
	}
	return revision, written && err == nil
}

// cut ends a term before its work has ended, because the lease is lost or given
// up. The mutex is locked.
func (m *Member) cut(c *claim, change string, why error) {
	if c.term == nil || c.term.ctx.Err() != nil {
		return
	}
	level := slog.LevelWarn
	if errors.Is(why, errGivenUp) {
		level = slog.LevelInfo
	}
	m.metrics.changes.WithLabelValues(change).Inc()
	m.log.Log(c.term.ctx, level, "lease ends here, standing by", "lease", c.name, "change", change, "why", why)
	c.term.end(why)
}
