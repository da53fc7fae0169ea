package lease

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrFenced is what work returns when what it writes to refused it, because
// another process has written there.
var ErrFenced = errors.New("another process does this work")

// writeLimit bounds the note that gives a lease back.
const writeLimit = 5 * time.Second

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
	number uint64          // of the note
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

// Hold runs work while this process has the lease, and stands by while another
// has it. work must return soon after its context ends; the lease is given back
// when it has. Work that fails with ErrFenced, or after its lease was lost, is
// begun again when the lease is taken again. Hold returns nil when ctx ends, and
// otherwise what work returned by itself. Names are 1 to 96 letters, digits, "-" or
// "_"; a member holds or shares one name once at a time.
func (m *Member) RunHolding(ctx context.Context, name string, work func(ctx context.Context) error) error {
	return m.campaign(ctx, name, false, work)
}

// Share is Hold for one of many pieces of work that are shared out: a process
// takes no more than its part of them, their number divided by that of the
// processes that are up, while others can do the rest, and gives up what it has
// beyond it.
func (m *Member) RunBalanced(ctx context.Context, name string, work func(ctx context.Context) error) error {
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
	m.metrics.held.WithLabelValues(name).Set(0)
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
	m.metrics.held.DeleteLabelValues(c.name)
	m.poke()
}

// giveBack ends a tenure whose work has ended. One that was fenced off leaves the
// work to whoever did that, for a while.
func (m *Member) giveBack(c *campaign, t *tenure, fenced bool) {
	t.end(errReturned)
	number, written, err := m.free(c.name, t.number)
	m.mu.Lock()
	defer m.mu.Unlock()
	c.tenure = nil
	m.metrics.held.WithLabelValues(c.name).Set(0)
	if err == nil && written {
		m.roster = m.roster.with(c.name, lease{number: number})
	}
	if fenced {
		c.barred = time.Now().Add(m.ttl)
	}
	m.poke()
}

// free says that a lease is not held any more, so that another can begin at
// once. If that cannot be said, the lease runs out.
func (m *Member) free(name string, held uint64) (number uint64, written bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), min(writeLimit, m.ttl))
	defer cancel()
	number, written, err = m.board.Put(ctx, leasePrefix+name, nil, &held)
	if err != nil {
		m.log.Warn("a lease could not be given back, it runs out", "lease", name, "err", err)
	}
	return number, written, err
}
