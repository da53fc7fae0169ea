package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// component is a part of the gateway that runs until its context ends.
type component struct {
	name string
	run  func(ctx context.Context) error
}

// running is a component that was started.
type running struct {
	name string
	stop context.CancelFunc
	done chan struct{}
}

// runAll starts the components in their order, sinks first, and waits until ctx
// ends or one of them fails. Then it stops them in reverse, each within the
// bound, so that every one still finds what it writes to. A component that ends
// while it should run fails the whole.
func runAll(ctx context.Context, log *slog.Logger, bound time.Duration, components []component) error {
	// The components outlive ctx: they are stopped one after the other.
	group, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	started := make([]running, 0, len(components))
	for _, c := range components {
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		group.Go(func() error {
			defer close(done)
			err := c.run(own)
			switch {
			case err != nil:
				return fmt.Errorf("%s: %w", c.name, err)
			case own.Err() == nil:
				return fmt.Errorf("%s: ended by itself", c.name)
			}
			return nil
		})
		started = append(started, running{c.name, stop, done})
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case <-failed.Done():
		log.Error("a component failed, stopping", "err", context.Cause(failed))
	}
	if err := stopAll(log, bound, started); err != nil {
		return err
	}
	return group.Wait()
}

func stopAll(log *slog.Logger, bound time.Duration, started []running) error {
	var late []error
	for i := len(started) - 1; i >= 0; i-- {
		c := started[i]
		c.stop()
		timer := time.NewTimer(bound)
		select {
		case <-c.done:
			log.Debug("stopped", "component", c.name)
		case <-timer.C:
			late = append(late, fmt.Errorf("%s: did not stop within %s", c.name, bound))
		}
		timer.Stop()
	}
	return errors.Join(late...)
}
