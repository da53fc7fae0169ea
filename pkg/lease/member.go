package lease

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	renewals   = 3  // in each Config.TTL
	ticks      = 15 // in each Config.TTL
	margin     = 5  // a holder stops this part of Config.TTL before others may take over
	leaveLimit = 2 * time.Second
)

// ErrDuplicateNode is what Member.Run returns when another process is a member
// under the same node: its data directory is a copy of this one's.
var ErrDuplicateNode = errors.New("another process goes by the same name in the cluster")

// Member is this process among those of a cluster.
type Member struct {
	store       Store // nil if there can be no other member
	node        string
	incarnation string // of this start of the process; node outlives it
	name        string
	ttl         time.Duration
	joined      time.Time
	log         *slog.Logger
	metrics     *metrics
	changed     chan struct{} // holds one signal: the claims changed

	mu       sync.Mutex
	renewed  uint64      // revision of the last renewal
	deadline time.Time   // leases are good until then
	expiry   *time.Timer // ends every term at the deadline
	claims   map[string]*claim
	view     view
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
	// Registerer receives the metrics; optional.
	Registerer prometheus.Registerer
}

// Join makes this process a member. It acquires no lease before Run runs. A nil
// store means that there are no other members: every lease is granted at once.
func Join(store Store, cfg Config, opts Options) (*Member, error) {
	if err := errors.Join(cfg.Check(), checkName(opts.Node)); err != nil {
		return nil, fmt.Errorf("join the cluster: %w", err)
	}
	m := &Member{
		store: store, node: opts.Node, incarnation: rand.Text(), name: opts.Name, ttl: cfg.TTL, joined: time.Now(),
		log: cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)), metrics: newMetrics(opts.Registerer),
		changed: make(chan struct{}, 1), claims: make(map[string]*claim), view: newView(),
	}
	m.expiry = time.AfterFunc(time.Hour, m.expire)
	m.expiry.Stop()
	return m, nil
}

// Run keeps this member alive and its leases until ctx ends, and returns nil
// then. It returns an error that wraps ErrDuplicateNode when it must not go on.
// It may run once, and must outlive all work under leases.
func (m *Member) Run(ctx context.Context) error {
	if m.store == nil {
		<-ctx.Done()
		return nil
	}
	defer m.expiry.Stop()
	tick, renew := time.Tick(m.ttl/ticks), time.Tick(m.ttl/renewals)
	failing := make(retry.Streaks)
	check := func(task string, err error) {
		if ctx.Err() == nil && failing.Begins(task, err) {
			m.log.Warn("keeping leases fails", "task", task, "err", err)
		}
	}
	m.wake()
	failed := false // the last renewal
	for due := true; ; due = true {
		select {
		case <-ctx.Done():
			m.leave()
			return nil
		case <-renew:
		case <-m.changed:
		case <-tick:
			due = failed // try again soon
		}
		if due {
			err := m.renew(ctx)
			check("renew the membership", err)
			failed = err != nil
		}
		err := m.tick(ctx)
		if errors.Is(err, ErrDuplicateNode) {
			return fmt.Errorf("keep leases: %w", err)
		}
		check("read and claim leases", err)
	}
}

// renew rewrites this member's entry. Its leases are good for Config.TTL from
// before that was sent, less a margin. A claim that was fenced off is left to
// other members meanwhile.
func (m *Member) renew(ctx context.Context) error {
	sent := time.Now()
	ctx, cancel := context.WithTimeout(ctx, m.ttl/renewals)
	defer cancel()
	entry := memberEntry{Incarnation: m.incarnation, Name: m.name}
	m.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(m.claims)) {
		if c := m.claims[name]; c.balanced && !sent.Before(c.cooldown) {
			entry.Ready = append(entry.Ready, name)
		}
	}
	m.mu.Unlock()
	revision, _, err := m.put(ctx, memberPrefix+m.node, entry, nil)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renewed = max(m.renewed, revision)
	m.deadline = sent.Add(m.ttl - m.ttl/margin)
	m.expiry.Reset(time.Until(m.deadline))
	return nil
}

// expire ends every term once the membership could not be renewed in time. A
// process that was stopped comes here as soon as it goes on.
func (m *Member) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Now().Before(m.deadline) {
		return
	}
	for _, c := range m.claims {
		m.cut(c, "lost", errExpired)
	}
}

// leave says that this member is gone. Its leases were given back already.
func (m *Member) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), min(leaveLimit, m.ttl))
	defer cancel()
	if _, _, err := m.store.Put(ctx, memberPrefix+m.node, nil, nil); err != nil {
		m.log.Warn("the others are not told that this process is gone, they will notice", "err", err)
	}
}

// wake has Run renew and tick at once.
func (m *Member) wake() {
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
	l := m.view.leases[name]
	if l.Node == "" {
		return Holder{}, false
	}
	return Holder{Name: l.Name, Self: l.Incarnation == m.incarnation, Alive: m.view.alive(l.Node, l.Incarnation, m.ttl)}, true
}

// SilentFor returns for how long nothing was heard of a member, as this process
// knows it. It is 0 for one that is alive.
func (m *Member) SilentFor(node string) time.Duration {
	if node == m.node {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	since := m.joined
	if seen := m.view.peers[node].seen; seen.After(since) {
		since = seen
	}
	if silent := time.Since(since); silent >= m.ttl {
		return silent
	}
	return 0
}

// holder names this process as a holder from now on.
func (m *Member) holder() holderEntry {
	return holderEntry{Node: m.node, Incarnation: m.incarnation, Name: m.name, Since: time.Now().UTC().Truncate(time.Second)}
}
