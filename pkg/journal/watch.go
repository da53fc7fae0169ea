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

const (
	watchPeriod  = time.Second
	restartTries = 3
	restartPause = time.Second / 2
	rejoinLimit  = 10 * time.Second
	prepareLimit = 3 * time.Second
	// stallFailures in a row, over at least stallTime, make a server wedged.
	stallFailures = 2
	stallTime     = 500 * time.Millisecond
)

// watch judges from the answers to publishes whether the server is wedged.
type watch struct {
	gate   *gate
	wedged chan error // has one reason to restart

	mu       sync.Mutex
	failures int
	since    time.Time
}

func (w *watch) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = 0
	w.gate.stalled.Store(false)
}

// failed counts an attempt without a good answer. A lost connection does not mean
// that the server failed: the connection comes back by itself, and check finds a
// server that ended.
func (w *watch) failed(err error) {
	timedOut := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders)
	if !timedOut && apiCode(err) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures == 0 {
		w.since = time.Now()
	}
	w.failures++
	if w.failures < stallFailures || time.Since(w.since) < stallTime {
		return
	}
	w.gate.stalled.Store(true)
	select {
	case w.wedged <- fmt.Errorf("%d publishes failed in a row: %w", w.failures, err):
	default:
	}
}

func (w *watch) restarted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = 0
	w.gate.stalled.Store(false)
	select {
	case <-w.wedged:
	default:
	}
}

// guard watches the server and restarts it when it is wedged. It returns
// ErrFatal when that does not help, nil when ctx ends.
func (j *Journal) guard(ctx context.Context) error {
	tick := time.Tick(watchPeriod)
	for {
		var cause error
		select {
		case <-ctx.Done():
			return nil
		case cause = <-j.watch.wedged:
		case <-tick:
			if j.server == nil {
				continue
			}
			if cause = j.server.check(); cause == nil {
				continue
			}
			j.gate.stalled.Store(true)
		}
		j.log.Error("journal server is stuck", "err", cause)
		fault.Report(j.reporter, "journal", "stuck", fmt.Errorf("journal server is stuck: %w", cause))
		if j.server == nil { // we cannot restart a cluster
			continue
		}
		if err := j.restart(ctx); err != nil {
			return err
		}
	}
}

// restart shuts the embedded server down and starts another in its place.
func (j *Journal) restart(ctx context.Context) error {
	var err error
	for try := range restartTries {
		if try > 0 && retry.Sleep(ctx, restartPause<<try) != nil {
			return nil
		}
		j.metrics.restarts.Inc()
		if err = j.server.stop(); err != nil {
			break // a second server in the same directory would destroy it
		}
		if err = j.checkDir(); err == nil { // or the server would begin an empty journal
			err = j.server.start(ctx)
		}
		if err == nil {
			err = j.rejoin(ctx)
		}
		if err == nil {
			j.watch.restarted()
			j.log.Warn("journal server was restarted")
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		j.log.Error("journal server does not come back", "try", try+1, "err", err)
	}
	return fmt.Errorf("%w: %w: check the disk and the permissions of %s, and start the process again", ErrFatal, err, j.dir)
}

// rejoin waits for the connections and prepares the streams. It tries again if it
// used a connection that went down with the old server.
func (j *Journal) rejoin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rejoinLimit)
	defer cancel()
	err := errors.New("the connections are not back")
	for retry.Sleep(ctx, reconnectWait) == nil {
		if !j.writes.conn.IsConnected() || !j.reads.conn.IsConnected() {
			continue
		}
		asking, cancel := j.writes.bound(ctx, prepareLimit)
		err = j.prepare(asking)
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("rejoin journal server: %w", err)
}
