package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// parts are components that write down when they start and stop.
type parts struct {
	started chan string // unbuffered: one starts after the other
	stopped []string
}

func (p *parts) component(name string) component {
	return component{name, func(ctx context.Context) error {
		p.started <- name
		<-ctx.Done()
		p.stopped = append(p.stopped, name) // runAll waits for one before it stops the next
		return nil
	}}
}

func (p *parts) await(n int) (names []string) {
	for range n {
		names = append(names, <-p.started)
	}
	slices.Sort(names) // goroutines begin in any order
	return names
}

func TestRunAllStopsInReverse(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &parts{started: make(chan string)}
	done := make(chan error)
	go func() {
		done <- runAll(ctx, slog.New(slog.DiscardHandler), time.Minute, []component{p.component("1"), p.component("2"), p.component("3")})
	}()
	if got := p.await(3); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("started %v", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !slices.Equal(p.stopped, []string{"3", "2", "1"}) {
		t.Errorf("stopped %v", p.stopped)
	}
}

func TestRunAllEndsWhenOneEnds(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"with an error": {broken, "bad: broken"},
		"without":       {nil, "bad: ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &parts{started: make(chan string)}
			end, done := make(chan struct{}), make(chan error)
			bad := component{"bad", func(context.Context) error { <-end; return c.err }}
			go func() {
				done <- runAll(t.Context(), slog.New(slog.DiscardHandler), time.Minute, []component{p.component("1"), bad, p.component("2")})
			}()
			p.await(2)
			close(end)
			if err := <-done; err == nil || err.Error() != c.want || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if !slices.Equal(p.stopped, []string{"2", "1"}) {
				t.Errorf("stopped %v", p.stopped)
			}
		})
	}
}

func TestRunAllDoesNotWaitForOneThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := &parts{started: make(chan string)}
		release, done := make(chan struct{}), make(chan error)
		hangs := component{"hangs", func(context.Context) error { <-release; return nil }}
		go func() {
			done <- runAll(ctx, slog.New(slog.DiscardHandler), 3*time.Second, []component{p.component("1"), hangs})
		}()
		p.await(1)
		begin := time.Now()
		cancel()
		err := <-done
		if err == nil || !strings.Contains(err.Error(), "hangs: did not stop within 3s") || time.Since(begin) != 3*time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if !slices.Equal(p.stopped, []string{"1"}) {
			t.Errorf("the other was not stopped: %v", p.stopped)
		}
		close(release)
	})
}
