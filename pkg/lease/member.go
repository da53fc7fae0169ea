package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	renewals  = 3  // in each Config.TTL
	looks     = 15 // in each Config.TTL
	safety    = 5  // a holder gives up this part of Config.TTL before others may take over
	leaveTime = 2 * time.Second
)

// ErrTwins is what Member.Run returns when another process is a member under the
// same node: its data directory is a copy of this one's.
var ErrDuplicateNode = errors.New("another process goes by the same name in the cluster")

// Member is this process among those of a cluster.
type Member struct {
	board   Store
	node    string
	session string // of this process; node outlives it
	name    string
	ttl     time.Duration
	log     *slog.Logger
	metrics *metrics
	changed chan struct{} // holds one signal: what this member wants is another

	mu        sync.Mutex
	begun     time.Time
	heard     uint64 // number of the last renewal
	deadline  time.Time
	expiry    *time.Timer // ends every tenure at the deadline
	campaigns map[string]*campaign
	roster    roster
}

// Options are what the program gives a member besides its configuration.
type Options struct {
	// Node names this process's data directory for good, by 1 to 96 letters,
	// digits, "-" or "_": a process that is started again on the same directory
	// has its leases back at once.
	Node string
	// Name is for people.
	Name string
	// Logger is optional.
	Logger *slog.Logger
	// Registerer takes the metrics; optional.
	Registerer prometheus.Registerer
}

// Join makes this process a member. Nothing is taken before Run runs. Without a
// board there are no others, and every lease is granted at once.
func Join(board Store, cfg Config, opts Options) (*Member, error) {
	if err := errors.Join(cfg.Check(), checkName(opts.Node)); err != nil {
		return nil, fmt.Errorf("join the cluster: %w", err)
	}
	metrics, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, fmt.Errorf("join the cluster: %w", err)
	}
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := &Member{
		board: board, node: opts.Node, session: rand.Text(), name: opts.Name, ttl: cfg.TTL, log: log, metrics: metrics,
		changed: make(chan struct{}, 1), campaigns: make(map[string]*campaign), begun: time.Now(),
	}
	m.expiry = time.AfterFunc(time.Hour, m.expire)
	m.expiry.Stop()
	return m, nil
}

// alone reports whether there can be no other member.
func (m *Member) alone() bool { return m.board == nil }

// Run keeps this member's session and leases until ctx ends, and returns nil
// then. It returns an error that wraps ErrTwins when it must not go on. It may
// run once, and is to outlive all work under leases.
func (m *Member) Run(ctx context.Context) error {
	if m.alone() {
		<-ctx.Done()
		return nil
	}
	defer m.expiry.Stop()
	look := time.NewTicker(m.ttl / looks)
	defer look.Stop()
	renew := time.NewTicker(m.ttl / renewals)
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
				m.logChange(failing, "renew session", err)
			}
		}
		err := m.turn(ctx)
		if errors.Is(err, ErrDuplicateNode) {
			return fmt.Errorf("keep leases: %w", err)
		}
		if ctx.Err() == nil {
			m.logChange(failing, "look for leases", err)
		}
	}
}

// logChange logs an error when it begins, not each time it is met.
func (m *Member) logChange(failing map[string]bool, task string, err error) {
	if err != nil && !failing[task] {
		m.log.Warn("keeping leases fails", "task", task, "err", err)
	}
	failing[task] = err != nil
}

// overdue reports whether the last renewal did not succeed.
func (m *Member) overdue() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Until(m.deadline) < m.ttl/renewals
}

// renew stores this member's session anew. Its leases are good for Config.TTL
// from before that was sent, less a margin.
func (m *Member) renew(ctx context.Context) error {
	m.mu.Lock()
	s := sessionNote{ID: m.session, Name: m.name}
	for name, c := range m.campaigns {
		if c.shared {
			s.Shared = append(s.Shared, name)
		}
	}
	m.mu.Unlock()
	slices.Sort(s.Shared)
	sent := time.Now()
	limited, cancel := context.WithTimeout(ctx, m.ttl/renewals)
	defer cancel()
	number, _, err := m.write(limited, sessionPrefix+m.node, s, nil)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = max(m.heard, number)
	m.deadline = sent.Add(m.ttl - m.ttl/safety)
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
	m.metrics.changes.WithLabelValues("lost").Inc()
	m.log.Warn("lease lost, standing by", "lease", c.name, "err", why)
	c.tenure.end(why)
}

// leave says that this member is gone. Its leases were given back already.
func (m *Member) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), min(leaveTime, m.ttl))
	defer cancel()
	if _, _, err := m.board.Put(ctx, sessionPrefix+m.node, nil, nil); err != nil {
		m.log.Warn("the others are not told that this process is gone, they will notice", "err", err)
	}
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
	Alive bool   // it was heard of within Config.TTL
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
	return Holder{Name: l.Name, Self: l.Session == m.session, Alive: m.roster.alive(l.Node, l.Session, m.ttl)}, true
}

// Silent is for how long nothing was heard of a member, as this process knows
// it; 0 of one that is there.
func (m *Member) SilentFor(node string) time.Duration {
	if node == m.node {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	since := m.begun
	if s, known := m.roster.sessions[node]; known && s.seen.After(since) {
		since = s.seen
	}
	if silent := time.Since(since); silent >= m.ttl {
		return silent
	}
	return 0
}

// note names this process.
func (m *Member) note() leaseNote {
	return leaseNote{Node: m.node, Session: m.session, Name: m.name, Since: time.Now().UTC().Truncate(time.Second)}
}
