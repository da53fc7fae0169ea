// Command questions loads events through the real binary, with the default
// configuration and three trackers in dry-run, and asks what product teams and
// operators ask. It prints what each took beside its goal.
//
//	go run ./test/questions -gateway bin/sparrow -events 10000000
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	gateway := flag.String("gateway", "bin/sparrow", "the binary")
	events := flag.Int("events", 1_000_000, "how many events to load")
	dir := flag.String("dir", "", "where to keep the data; a temporary directory that is removed without it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *gateway, *dir, *events); err != nil {
		fmt.Fprintln(os.Stderr, "questions:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, dir string, events int) error {
	if dir == "" {
		made, err := os.MkdirTemp("", "sparrow-questions-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		dir = made
	}
	g := &gateway{binary: binary, dir: dir}
	if err := g.configure(dryRun); err != nil {
		return err
	}
	if _, err := g.start(ctx); err != nil {
		return err
	}
	defer func() { _ = g.stop(syscall.SIGKILL) }() // if it still runs
	fmt.Printf("%-52s %14s %12s\n", "what", "measured", "goal")
	if err := loadAll(ctx, g, events); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if err := askAll(ctx, g); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	if err := killUnderLoad(ctx, g); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	if err := catchUp(ctx, binary, filepath.Join(dir, "catch-up"), min(events/10, 200_000)); err != nil {
		return fmt.Errorf("catch up: %w", err)
	}
	return nil
}

// loadAll posts the events, first a tenth in small batches and then the rest, and
// waits each time until the warehouse has the last outcome.
func loadAll(ctx context.Context, g *gateway, events int) error {
	memory := g.watchMemory(ctx)
	loaded := 0
	for _, l := range []load{{events / 10, 20, 2}, {events - events/10, 100, 0}} {
		began := time.Now()
		if err := l.post(ctx, g.address); err != nil {
			return err
		}
		taken := time.Since(began)
		loaded += l.events
		if err := g.awaitLoaded(ctx, loaded); err != nil {
			return err
		}
		row(fmt.Sprintf("events taken, batches of %d", l.batch), rate(l.events, taken), "")
		row("events to the last outcome in the warehouse", rate(l.events, time.Since(began)), "25000/s")
	}
	row("processor time of the gateway, an event", fmt.Sprintf("%.1f us", float64(g.processorTime().Microseconds())/float64(events)), "")
	row("resident memory while it loads, at most", fmt.Sprintf("%d MB", memory()>>20), "500 MB")
	size, err := g.size("warehouse.duckdb")
	if err != nil {
		return err
	}
	row("DuckDB file, an event with three outcomes", fmt.Sprintf("%d B", size/int64(events)), "")
	return nil
}

func rate(events int, took time.Duration) string {
	return fmt.Sprintf("%.0f/s", float64(events)/took.Seconds())
}

// askAll asks each question three times; the best counts, as caches are warm when
// people work with the answers.
func askAll(ctx context.Context, g *gateway) error {
	for _, q := range questions {
		best := time.Duration(0)
		for range 3 {
			took, err := g.command(ctx, q.args...)
			if err != nil {
				return fmt.Errorf("%s: %w", q.what, err)
			}
			if best == 0 || took < best {
				best = took
			}
		}
		row(q.what, fmt.Sprintf("%d ms", best.Milliseconds()), q.goal)
	}
	took, err := g.command(ctx, "reconcile", "--verify")
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	row("sparrow reconcile --verify", fmt.Sprintf("%d ms", took.Milliseconds()), "")
	return nil
}

// killUnderLoad kills the gateway while events arrive, and starts it again.
func killUnderLoad(ctx context.Context, g *gateway) error {
	loading, end := context.WithCancel(ctx)
	defer end()
	done := make(chan error, 1)
	go func() { done <- load{events: 1 << 30, batch: 100, seed: 1}.post(loading, g.address) }()
	timer := time.NewTimer(5 * time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case err := <-done:
		return fmt.Errorf("load before the kill: %w", err)
	}
	if err := g.stop(syscall.SIGKILL); err != nil {
		return err
	}
	end()
	<-done // its connections were cut
	journal, err := g.size("journal")
	if err != nil {
		return err
	}
	log, err := g.size("warehouse.duckdb.wal")
	if err != nil {
		return err
	}
	ready, err := g.start(ctx)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("SIGKILL (journal %d MB, DuckDB log %d MB) to ready", journal>>20, log>>20), fmt.Sprintf("%d ms", ready.Milliseconds()), "1000 ms")
	began := time.Now()
	if err := g.stop(syscall.SIGTERM); err != nil {
		return err
	}
	row("SIGTERM to the end", fmt.Sprintf("%d ms", time.Since(began).Milliseconds()), "")
	return nil
}

func row(what, measured, goal string) { fmt.Printf("%-52s %14s %12s\n", what, measured, goal) }
