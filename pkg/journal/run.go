package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const probePeriod = 250 * time.Millisecond

// Run stores what is appended, keeps the streams trimmed and the server alive.
// It blocks until ctx ends and every waiting append is stored or has failed, and
// returns nil then. It returns ErrFatal if the embedded server is wedged and could
// not be restarted. It may run once.
func (j *Journal) Run(ctx context.Context) error {
	if !j.running.CompareAndSwap(false, true) {
		return errors.New("run journal: it may run only once")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The server is watched for as long as appends wait for it.
	guardCtx, stopGuard := context.WithCancel(context.WithoutCancel(ctx))
	defer stopGuard()

	var all sync.WaitGroup
	var fatal error
	all.Go(func() {
		if fatal = j.guard(guardCtx); fatal != nil {
			cancel()
		}
	})
	all.Go(func() { j.keep(ctx) })
	var commits sync.WaitGroup
	commits.Go(func() { j.commit(ctx) })

	<-ctx.Done()
	j.queue.close()
	committed := within(2*drainLimit, commits.Wait)
	stopGuard()
	if !within(stopLimit+drainLimit, all.Wait) || !committed {
		return errors.New("run journal: the disk does not answer: check it, and restart the process")
	}
	if fatal != nil {
		return fmt.Errorf("run journal: %w", fatal)
	}
	return nil
}

// within calls f and reports whether it ends within limit. What waits for a disk that
// hangs cannot be interrupted: it goes on alone.
func within(limit time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

// keep stores pins, trims the streams and watches the disk, each at its own pace.
func (j *Journal) keep(ctx context.Context) {
	flush, trim, probe := time.Tick(flushPeriod), time.Tick(trimPeriod), time.Tick(probePeriod)
	failing := make(retry.Streaks)
	for {
		var task string
		var err error
		select {
		case <-ctx.Done():
			return
		case <-probe:
			task, err = "look at the directory", j.probeDisk()
			if j.gate.full.Load() {
				j.trimSoon()
			}
		case <-flush:
			task, err = "store pins", j.pins.flush(ctx)
		case <-trim:
			task, err = "trim", j.trim(ctx)
		case <-j.trimNow:
			task, err = "trim", j.trim(ctx)
		}
		if apiCode(err) == codeNoStream || errors.Is(err, nats.ErrNoResponders) { // somebody deleted it
			err = errors.Join(err, j.prepare(ctx))
		}
		if ctx.Err() == nil && failing.Begins(task, err) {
			j.log.Warn("journal upkeep fails", "task", task, "err", err)
		}
	}
}

func (j *Journal) probeDisk() error {
	if j.server == nil {
		return nil
	}
	err := j.checkDir()
	var free int64
	if err == nil {
		free, err = j.freeSpace(j.dir)
	}
	if j.gate.setBroken(err) {
		fault.Report(j.reporter, "journal", "directory", fmt.Errorf("nothing can be stored: %w", err))
	}
	if err != nil {
		return err
	}
	j.gate.free.Store(free)
	j.metrics.freeBytes.Set(float64(free))
	return nil
}
