// Command bench compares durable intake with a bare HTTP handler, in one run, on
// one machine. The ratio is the result, not the absolute figure.
//
// Each side is a separate process (this binary again), so that client and server
// do not share a scheduler. "bare" reads and discards the body; "intake"
// is the dispatcher on a journal that has fsync'd the event before it answers;
// "gateway" is the real binary with everything on (loader, DuckDB, the three
// vendors in dry-run), when -gateway names it. The load is one event of 400
// bytes a request over keep-alive connections. The sides take turns.
//
//	go run ./test/bench -gateway bin/sparrow
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	serve := flag.String("serve", "", "internal: be the server of one side, bare or intake")
	dir := flag.String("dir", "", "internal: the directory of the side's files")
	rounds := flag.Int("rounds", 3, "rounds of each side; the median counts")
	length := flag.Duration("length", 4*time.Second, "of one round")
	gateway := flag.String("gateway", "", "also measure this gateway binary with everything on")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := errors.New("unknown side")
	switch *serve {
	case "":
		err = compare(ctx, *rounds, *length, *gateway)
	case "bare":
		err = serveBare(ctx)
	case "intake":
		err = serveIntake(ctx, *dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, rounds int, length time.Duration, gateway string) error {
	sides := []string{"bare", "intake"}
	if gateway != "" {
		sides = append(sides, "gateway")
	}
	fmt.Printf("%-12s %-9s %12s %10s %10s %8s\n", "connections", "side", "events/s", "p50 ms", "p99 ms", "ratio")
	for _, connections := range []int{64, 256} {
		results := map[string][]round{}
		for range rounds {
			for _, side := range sides {
				r, err := measure(ctx, side, gateway, connections, length)
				if err != nil {
					return fmt.Errorf("%s: %w", side, err)
				}
				results[side] = append(results[side], r)
			}
		}
		for _, side := range sides {
			fmt.Printf("%-12d %-9s %12.0f %10.2f %10.2f %8.2f\n", connections, side,
				median(results[side], func(r round) float64 { return r.rate }),
				median(results[side], func(r round) float64 { return r.p50 }),
				median(results[side], func(r round) float64 { return r.p99 }),
				ratio(results[side], results["bare"]))
		}
	}
	return nil
}

// ratio is the median of the rounds' ratios, each to the bare round beside it.
func ratio(side, bare []round) float64 {
	var ratios []float64
	for i := range side {
		ratios = append(ratios, side[i].rate/bare[i].rate)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func median(rounds []round, of func(round) float64) float64 {
	var values []float64
	for _, r := range rounds {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
