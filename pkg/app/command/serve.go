package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
)

func serveCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Runs the gateway: intake, journal, loader and a lane for each tracker, in one
process. SIGTERM drains within a bound; SIGHUP, or a change of one of the files,
reloads plan and trackers, keeping the last good ones if something is wrong.

Roles split the work over machines that share a NATS cluster (journal.url):
dispatcher takes events, loader fills the warehouse, trace runs the lanes. Any
number of processes may have a role: lanes are shared out, and the loader runs in
one of them, while the others stand by. With DuckDB the loader belongs to the
process that has the file.`,
		Example: "  sparrow serve --config sparrow.yaml\n  sparrow serve --role dispatcher --config edge.yaml",
		Args:    exactArgs(),
	}
	roles := cmd.Flags().StringArray("role", nil, "run this part only: dispatcher, trace or loader (repeatable; default all)")
	adopt := cmd.Flags().Bool("adopt-warehouse", false, "make the DuckDB file here the warehouse of a cluster whose loader had another")
	level := cmd.Flags().String("log-level", "info", "debug, info, warn or error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		settings, err := s.configured()
		if err != nil {
			return err
		}
		if err := settings.SetRoles(*roles); err != nil {
			return usageError{err}
		}
		settings.Adopt = *adopt
		var l slog.Level
		if err := l.UnmarshalText([]byte(*level)); err != nil {
			return usagef("--log-level %q: want debug, info, warn or error", *level)
		}
		return s.run(cmd.Context(), settings, s.logger(true, l), nil)
	}
	return cmd
}

// gcPercent is how much the heap grows between collections, unless GOGC says
// otherwise. Most of what lives under load is buffers without pointers, which cost the
// collector nothing: half of Go's default took a quarter less memory for a few
// percent more processor time (docs/PERFORMANCE.md).
const gcPercent = 50

// run runs a gateway until a signal ends it. A second signal ends it at once.
func (s *invocation) run(ctx context.Context, settings *config.Settings, logger *slog.Logger, started func(*gateway.Gateway)) error {
	syscall.Umask(0o077) // the files hold what visitors did: they are the owner's alone
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, done := untilSignal(ctx)
	defer done()
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)

	g, err := open(ctx, settings, gateway.Options{Logger: logger, Release: s.program.Release, Reload: reload})
	if err != nil {
		return fmt.Errorf("start the gateway: %w", err)
	}
	if started != nil {
		started(g)
	}
	return errors.Join(g.Run(ctx), g.Close())
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM.
// Before it ends, both signals have their own effect again, so that whoever sees
// the gateway stopping can end it at once with another one. done gives up
// waiting for signals.
func untilSignal(parent context.Context) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals)
		cancel()
	})
	return ctx, func() {
		cancel()
		watch.Wait()
	}
}

// openLimit bounds how long a start goes on after a signal.
const openLimit = 10 * time.Second

// open opens a gateway. A disk that does not answer keeps it for no longer than
// openLimit after ctx ended; the process is to end then.
func open(ctx context.Context, settings *config.Settings, options gateway.Options) (*gateway.Gateway, error) {
	var g *gateway.Gateway
	done := make(chan error, 1)
	go func() {
		var err error
		g, err = gateway.Open(ctx, settings, options)
		done <- err
	}()
	select {
	case err := <-done:
		return g, err
	case <-ctx.Done():
	}
	limit := time.NewTimer(openLimit)
	defer limit.Stop()
	select {
	case err := <-done:
		return g, err
	case <-limit.C:
		return nil, fmt.Errorf("it did not end within %s of the signal: the disk does not answer: check the disk of %s", openLimit, settings.Config.Data)
	}
}
