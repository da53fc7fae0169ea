package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// component is a part of the gateway that runs until its context ends.
type component struct {
	name string
	run  func(ctx context.Context) error
}

// runAll starts the components in their order, sinks first, and waits until ctx
// ends or one of them fails. Then it stops them in reverse, each within the
// bound, so that every one still finds what it writes to. A component that ends
// while it should run fails the whole.
func runAll(ctx context.Context, log *slog.Logger, bound time.Duration, components []component) error {
	// The components outlive ctx: they are stopped one after the other.
	group, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	stops := make([]func() error, 0, len(components)) // each stops a component, within the bound
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
		stops = append(stops, func() error {
			stop()
			select {
			case <-done:
				log.Debug("stopped", "component", c.name)
				return nil
			case <-time.After(bound):
				return fmt.Errorf("%s: did not stop within %s", c.name, bound)
			}
		})
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case <-failed.Done():
		log.Error("a component failed, stopping", "err", context.Cause(failed))
	}
	var late []error
	for _, stopOne := range slices.Backward(stops) {
		late = append(late, stopOne())
	}
	if err := errors.Join(late...); err != nil {
		return err
	}
	return group.Wait()
}
