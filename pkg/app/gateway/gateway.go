package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/lease"
	"github.com/sparrow-edge/sparrow/pkg/report"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
	"github.com/sparrow-edge/sparrow/pkg/trace"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Options are what a gateway is given beside its settings.
type Options struct {
	Logger  *slog.Logger
	Release string
	// Reload asks for configuration and plan to be read again; nil never asks.
	Reload <-chan os.Signal
}

// Gateway is the whole program, wired. Open it, Run it, Close it.
type Gateway struct {
	settings *config.Settings
	options  Options
	log      *slog.Logger
	registry *prometheus.Registry

	reporter   *report.Reporter
	journal    *journal.Journal
	index      *dedup.Index
	warehouse  *lazyWarehouse // nil without the loader role
	loader     *warehouse.Loader
	dispatcher *dispatcher.Dispatcher
	sanitizer  *sanitizer.Sanitizer
	tracer     atomic.Pointer[trace.Tracer]
	current    atomic.Pointer[config.Settings] // with the plan and trackers that apply now
	lanes      *lanes

	member  *lease.Member // of the cluster
	node    string        // this process's name there
	public  *publicServer
	admin   net.Listener
	handler http.Handler

	closers []func() error
}

// Open builds the gateway and opens what it keeps on disk. The error says which
// part could not be opened; what was open by then is closed again.
func Open(ctx context.Context, settings *config.Settings, options Options) (*Gateway, error) {
	g := &Gateway{settings: settings, options: options, log: options.Logger, registry: prometheus.NewRegistry()}
	g.current.Store(settings)
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, step := range g.steps() {
		if g.public != nil {
			g.public.setStep(step.name)
		}
		if err := step.do(ctx); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	return g, nil
}

// step is a part of the start.
type step struct {
	name string
	do   func(context.Context) error
}

// steps are the start. The public listener is opened early, to answer health
// checks; the journal, which may take minutes after a crash, comes after it.
func (g *Gateway) steps() []step {
	return []step{
		{"data directory", g.openData},
		{"reports", g.openReporter},
		{"public listener", g.openPublic},
		{"opening the journal", g.openJournal},
		{"joining the cluster", g.openMember},
		{"opening the duplicate index", g.openIndex},
		{"reading the plan", g.openPlan},
		{"opening the warehouse", g.openWarehouse},
		{"opening the lanes", g.openLanes},
		{"opening the admin socket", g.openAdmin},
		{"opening the intake", g.openIntake},
	}
}

// URL is the address of the public listener, as a browser on this machine
// would write it.
func (g *Gateway) URL() string {
	address := g.public.listener.Addr().String()
	if host, port, err := net.SplitHostPort(address); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			address = net.JoinHostPort("localhost", port)
		}
	}
	return "http://" + address
}

func (g *Gateway) openData(context.Context) error {
	if err := os.MkdirAll(g.settings.Config.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	closeToOthers(g.settings.Config.Data)
	return nil
}

// closeToOthers takes the rights of other users from the files that are there: the
// directory may have been made by hand, and the files by an earlier release. What
// cannot be changed belongs to somebody else: whoever opens it says so.
func closeToOthers(dir string) {
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			_ = os.Chmod(path, info.Mode().Perm()&^0o077)
		}
		return nil
	})
}

func (g *Gateway) openReporter(context.Context) error {
	var err error
	g.reporter, err = report.New(g.settings.Config.Sentry, report.Options{
		Release: g.options.Release, Logger: g.log, Registerer: g.registry, Secrets: g.settings.Secrets(),
	})
	if err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	return nil
}

func (g *Gateway) openJournal(ctx context.Context) error {
	var err error
	g.journal, err = journal.Open(ctx, g.settings.Config.Journal, journal.Options{
		Dir: filepath.Join(g.settings.Config.Data, "journal"), Logger: g.log.With("component", "journal"),
		Registerer: g.registry, Reporter: g.reporter,
	})
	if err != nil {
		return err
	}
	g.closers = append(g.closers, g.journal.Close)
	return nil
}

// readsEvents reports whether this process reads the journal.
func (g *Gateway) readsEvents() bool { return g.settings.Roles.Trace || g.settings.Roles.Loader }

func (g *Gateway) openIndex(ctx context.Context) error {
	if !g.readsEvents() {
		return nil
	}
	var err error
	g.index, err = dedup.Open(filepath.Join(g.settings.Config.Data, "duplicates"), g.settings.Config.Duplicates, dedup.Options{
		Logger: g.log.With("component", "duplicates"), Registerer: g.registry, Reporter: g.reporter,
	})
	if err != nil {
		return err
	}
	g.closers = append(g.closers, g.index.Close)
	return pinFirst(ctx, g.indexReader(), g.journal.Events())
}

func (g *Gateway) openPlan(context.Context) error {
	var err error
	if g.sanitizer, err = config.OpenSanitizer(g.settings); err != nil {
		return err
	}
	return g.usePlan(g.settings.Plan)
}

// operations is what the commands can ask of this gateway.
func (g *Gateway) operations() operations {
	return operations{g.warehouse, &g.current, g.sanitizer, g.feed(), g.lanes, g.report}
}

// report reports an incident.
func (g *Gateway) report(component, class string, err error) {
	g.reporter.Report(fault.Incident{Component: component, Class: class, Err: err, Time: time.Now()})
}

func (g *Gateway) feed() feed { return feed{g.journal, g.index} }

func (g *Gateway) openPublic(ctx context.Context) error {
	var err error
	if g.public, err = openPublicServer(ctx, g.settings.Config.Listen, g.metrics(), g.log); err != nil {
		return err
	}
	g.closers = append(g.closers, g.public.close)
	return nil
}

func (g *Gateway) openAdmin(context.Context) error {
	var err error
	if g.admin, err = admin.Listen(g.settings.Config.Data); err != nil {
		return err
	}
	g.closers = append(g.closers, func() error {
		if err := g.admin.Close(); !errors.Is(err, net.ErrClosed) { // its server may have closed it
			return err
		}
		return nil
	})
	return nil
}

// openLanes makes the lanes, and opens them where this process runs them.
func (g *Gateway) openLanes(ctx context.Context) error {
	g.lanes = &lanes{
		journal: g.journal, member: g.member, current: &g.current, log: g.log, report: g.report, changes: make(chan []config.Tracker),
		deps: delivery.Deps{
			Source: laneFeed{g.feed()}, OutcomeLog: outcomeLog{g.journal},
			Tracer:   func() delivery.Tracer { return g.tracer.Load() },
			Reporter: g.reporter, Logger: g.log.With("component", "lane"), Registerer: g.registry,
			Sanitize: g.sanitizer.String, Release: g.options.Release,
		},
	}
	if !g.settings.Roles.Trace {
		return nil
	}
	return g.lanes.open(ctx)
}

func (g *Gateway) openIntake(context.Context) error {
	if !g.settings.Roles.Dispatcher {
		g.handler = probeRoutes(g.metrics(), answerReady(g.journal.Ready, g.log))
		return nil
	}
	var err error
	g.dispatcher, err = dispatcher.New(g.settings.Config.Intake, g.journal, dispatcher.Options{
		Logger: g.log.With("component", "dispatcher"), Registerer: g.registry, Reporter: g.reporter,
	})
	if err != nil {
		return err
	}
	g.handler, err = g.publicRoutes()
	return err
}

// drain makes the readiness check fail, so that load balancers and clients use
// another process.
func (g *Gateway) drain() {
	if g.dispatcher != nil {
		g.dispatcher.Drain()
	}
}

// Run runs every part until ctx ends or one of them fails: sinks start first,
// HTTP last; they stop in reverse, each within the configured bound.
func (g *Gateway) Run(ctx context.Context) error {
	bound := g.settings.Config.Drain
	components := []component{
		{"reports", g.reporter.Run},
		{"journal", g.journal.Run},
	}
	if g.readsEvents() {
		components = append(components, component{"leases", g.member.Run})
	}
	if g.index != nil {
		components = append(components,
			component{"duplicates", func(ctx context.Context) error { return g.index.Run(ctx, indexFeed{feed{g.journal, nil}}) }},
			component{"trimmer", g.trimIndex})
	}
	if g.loader != nil {
		components = append(components, component{"loader", g.runLoader})
	}
	if g.settings.Roles.Trace {
		components = append(components, component{"lanes", g.lanes.run})
	}
	components = append(components,
		component{"reload", g.watchFiles},
		component{"admin", func(ctx context.Context) error {
			return startServer(ctx, g.admin, admin.Handler(g.operations()), g.log).run(ctx, g.log, time.Second, func() {})
		}},
		component{"http", func(ctx context.Context) error {
			g.public.use(g.handler)
			return g.public.run(ctx, g.log, bound, g.drain)
		}})
	g.log.Info("started", "release", g.options.Release, "epoch", g.journal.Epoch(), "trackers", len(g.settings.Trackers))
	// The loader and the lanes drain for as long as they are configured to; the
	// bound on a component is a little more.
	return runAll(ctx, g.log, bound+5*time.Second, components)
}

// Close closes what Open opened, the last first. Calling it again does nothing.
func (g *Gateway) Close() error {
	var errs []error
	for _, closePart := range slices.Backward(g.closers) {
		errs = append(errs, closePart())
	}
	g.closers = nil
	return errors.Join(errs...)
}
