package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Options are what the journal is given besides its configuration. The logger,
// the registerer and the reporter may be nil.
type Options struct {
	Dir        string // of the embedded server; it is made if missing
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Reporter   fault.Reporter
}

// Journal is an open journal. Its methods are safe for concurrent use.
type Journal struct {
	cfg  Config
	dir  string
	log  *slog.Logger
	lock *os.File // nil on a cluster

	server  *server // nil on a cluster
	writes  *link
	reads   *link
	largest int // bytes of a frame

	events, outcomes *Stream
	queue            *queue
	tail             tail     // of events; only the commit loop uses it
	tails            sync.Map // tail by lane: what this process published last
	pins             *pinStore
	gate             gate
	watch            watch
	reporter         fault.Reporter
	gaps             gapReporter
	metrics          *metrics

	boot     string        // makes message ids unique
	messages atomic.Uint64 // counts them

	trimNow  chan struct{}
	trimming sync.Mutex

	running atomic.Bool
	closing sync.Once
	life    context.Context // ends when the journal is closed
	end     context.CancelFunc

	// Copies of constants and functions that tests replace.
	attemptLimit, patience time.Duration
	freeSpace              func(dir string) (int64, error)
}

// Open opens the journal: the embedded server in Options.Dir, or the cluster at
// Config.URL. After a crash the embedded server reads its blocks again before Open
// returns. That can take minutes for many gigabytes: it logs its progress, and the
// caller should answer health checks meanwhile. The caller closes the journal after
// Run has returned.
func Open(ctx context.Context, cfg Config, opts Options) (_ *Journal, err error) {
	defer fault.Wrap(&err, "open journal")
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	j := assemble(cfg, opts)
	if cfg.URL == "" {
		err = j.openEmbedded(ctx)
	}
	if err == nil {
		err = j.attach(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, j.release())
	}
	return j, nil
}

// assemble makes a journal that is not connected yet.
func assemble(cfg Config, opts Options) *Journal {
	log := cmp.Or(opts.Logger, slog.New(slog.DiscardHandler))
	m := newMetrics(opts.Registerer)
	j := &Journal{
		cfg: cfg, dir: opts.Dir, log: log, reporter: opts.Reporter, metrics: m,
		queue: newQueue(), tail: newChain(), boot: newEpoch() + newEpoch(),
		trimNow:      make(chan struct{}, 1),
		attemptLimit: attemptLimit, patience: patience, freeSpace: freeSpace,
	}
	j.life, j.end = context.WithCancel(context.Background())
	j.gate.minFree = cfg.MinFree
	j.gate.free.Store(math.MaxInt64)
	j.watch = watch{gate: &j.gate, wedged: make(chan error, 1)}
	j.gaps = gapReporter{log: log, reporter: opts.Reporter, metrics: m}
	j.events = &Stream{name: eventsStream, label: "events", bound: cfg.eventsBytes(), full: &j.gate.full}
	j.outcomes = &Stream{name: outcomesStream, label: "outcomes", prefix: outcomesPrefix, bound: cfg.outcomesBytes()}
	return j
}

func (j *Journal) openEmbedded(ctx context.Context) error {
	lock, err := lockDir(j.dir)
	if err != nil {
		return err
	}
	j.lock = lock
	j.server = &server{dir: filepath.Join(j.dir, "nats"), log: j.log}
	if err := j.probeDisk(); err != nil {
		return err
	}
	return j.server.start(ctx)
}

// attach connects and finds the ends of the streams. From here on both kinds of
// server share one code path.
func (j *Journal) attach(ctx context.Context) (err error) {
	if j.writes, err = connect(ctx, "journal writes", j.cfg.URL, j.server, j.log); err != nil {
		return err
	}
	if j.reads, err = connect(ctx, "journal reads", j.cfg.URL, j.server, j.log); err != nil {
		return err
	}
	j.largest = int(min(j.writes.conn.MaxPayload(), maxPayload)) - 1024 // headers count too
	if j.server == nil {
		j.inspectCluster(ctx)
	}
	j.pins = &pinStore{link: j.writes, epoch: j.epochOf, pins: make(map[pinKey]pin)}
	for _, s := range []*Stream{j.events, j.outcomes} {
		s.reads, s.pins, s.gaps, s.metrics, s.life, s.period = j.reads, j.pins, &j.gaps, j.metrics, j.life, pollLocal
		if s.embedded = j.server != nil; !s.embedded {
			s.period = pollRemote
		}
	}
	if err := j.prepare(ctx); err != nil {
		return err
	}
	if err := j.pins.load(ctx); err != nil {
		return err
	}
	return j.resume(ctx)
}

// prepare makes or adapts the streams and remembers their epochs. A stream whose
// epoch changed was replaced: that is reported, and its readers end.
func (j *Journal) prepare(ctx context.Context) error {
	epochs, err := ensureStreams(ctx, j.writes.js, j.cfg)
	if err != nil {
		return err
	}
	for _, s := range []*Stream{j.events, j.outcomes} {
		epoch := epochs[s.name]
		s.recent.clear() // the server is another one now
		before := s.epoch.Swap(&epoch)
		if before == nil || *before == epoch {
			continue
		}
		s.last.Store(0)
		j.pins.forget(s.label)
		j.log.Error("journal stream was replaced", "stream", s.label, "epoch", epoch, "epoch_before", *before)
		fault.Report(j.reporter, "journal", "new epoch", fmt.Errorf("stream %s was replaced: epoch %s instead of %s", s.label, epoch, *before))
	}
	return nil
}

// Epoch names the events stream for good: a position means something only
// together with it. It is 8 characters of [a-z2-7].
func (j *Journal) Epoch() string { return *j.events.epoch.Load() }

// epochOf returns the epoch of a stream by its label, "" if there is none.
func (j *Journal) epochOf(label string) string {
	for _, s := range []*Stream{j.events, j.outcomes} {
		if s.label == label {
			return *s.epoch.Load()
		}
	}
	return ""
}

// Events is the stream that Append writes.
func (j *Journal) Events() *Stream { return j.events }

// Outcomes is the stream that Publish writes.
func (j *Journal) Outcomes() *Stream { return j.outcomes }

// Close stores the pins and ends the connections and the embedded server. It is
// called after Run has returned, and may be called again.
func (j *Journal) Close() error {
	var err error
	j.closing.Do(func() {
		j.end()
		j.queue.close()
		if j.server == nil || j.server.check() == nil { // else no pin can be stored
			ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
			defer cancel()
			if err = j.pins.flush(ctx); err != nil && j.server != nil {
				err = errors.Join(err, j.server.check())
			}
		}
		err = errors.Join(err, j.release())
	})
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// release closes what was opened.
func (j *Journal) release() error {
	for _, l := range []*link{j.reads, j.writes} {
		if l != nil {
			l.close()
		}
	}
	var errs []error
	if j.server != nil {
		errs = append(errs, j.server.stop())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	return errors.Join(errs...)
}
