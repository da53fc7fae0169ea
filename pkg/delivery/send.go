package delivery

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// maxAgain is how often an event is sent again at once before it has to wait
// like any other that the vendor does not take.
const maxAgain = 3

// task is events to translate together.
type task struct{ items []*item }

// call is one request and the events it carries.
type call struct {
	items   []*item
	request tracker.Request

	sent     bool
	exchange exchange
	verdicts []tracker.Verdict
	first    *preliminary // of a request that has one before it
}

// translate turns events into requests. What the tracker rejects is decided.
func (l *Lane) translate(tasks []task) []*call {
	var calls []*call
	for _, t := range tasks {
		for items := t.items; len(items) > 0; {
			n := min(len(items), l.traits.MaxBatch)
			calls = append(calls, l.translateBatch(items[:n])...)
			items = items[n:]
		}
	}
	return calls
}

func (l *Lane) translateBatch(items []*item) []*call {
	batch := make([]event.Event, len(items))
	for i, it := range items {
		batch[i] = it.event
	}
	requests, rejections, err := l.requests(batch)
	if err != nil && len(items) > 1 { // find the one that the tracker fails on
		half := len(items) / 2
		return append(l.translateBatch(items[:half]), l.translateBatch(items[half:])...)
	}
	now := time.Now()
	used := make([]bool, len(items))
	for _, r := range rejections {
		if r.Event < 0 || r.Event >= len(items) || used[r.Event] {
			continue
		}
		used[r.Event] = true
		outcome := event.Rejected
		if r.Skip {
			outcome = event.Filtered
		}
		items[r.Event].decide(outcome, r.Reason, now)
	}
	var calls []*call
	for _, r := range requests {
		c := &call{request: r}
		for _, i := range r.Events {
			if i < 0 || i >= len(items) || used[i] {
				c = nil
				break
			}
			c.items = append(c.items, items[i])
		}
		if c == nil || len(c.items) == 0 {
			continue
		}
		for _, i := range r.Events {
			used[i] = true
		}
		calls = append(calls, c)
	}
	for i, it := range items {
		if !used[i] {
			it.decide(event.Rejected, "the tracker could not translate it: a bug of its kind", now)
			l.internal("tracker", fmt.Errorf("translate: event in no request and no rejection, or in two (%v)", err))
		}
	}
	return calls
}

// requests calls the tracker, whose panic is an error of this batch alone.
func (l *Lane) requests(batch []event.Event) (requests []tracker.Request, rejections []tracker.Rejection, err error) {
	defer func() {
		if p := recover(); p != nil {
			requests, rejections, err = nil, nil, fmt.Errorf("tracker panicked in Requests: %T", p)
		}
	}()
	requests, rejections = l.tracker.Requests(batch)
	return requests, rejections, nil
}

// send performs calls until each event is settled, or the vendor takes nothing
// more, or ctx ends; what is left stays open.
func (l *Lane) send(ctx, work context.Context, calls []*call) {
	passed := false
	for len(calls) > 0 && ctx.Err() == nil {
		l.perform(ctx, work, calls)
		var follow []task
		var outage *tracker.Verdict
		broken := true
		for _, c := range calls {
			tasks, wait := l.apply(c)
			follow = append(follow, tasks...)
			passed = passed || c.sent && wait == nil && !c.broken()
			broken = broken && (wait == nil || c.broken())
			if wait != nil && (outage == nil || wait.After > outage.After || wait.Alarm && !outage.Alarm) {
				outage = wait
			}
		}
		if outage != nil {
			if ctx.Err() == nil {
				l.trip(*outage, broken)
			}
			return
		}
		calls = l.translate(follow)
	}
	if ctx.Err() == nil && passed && l.breaker.reset() {
		l.log.Info("vendor takes events again")
	}
}

// exchange performs one call.
func (l *Lane) exchange(work context.Context, c *call) {
	c.sent = true
	if l.prepare(work, c) {
		c.exchange = l.client.do(work, &c.request)
		c.verdicts = l.judge(c)
	}
}

// perform sends calls, some at once, until one says that the vendor takes
// nothing. Requests under way then finish; the others are not sent.
func (l *Lane) perform(ctx, work context.Context, calls []*call) {
	var halted atomic.Bool
	var group errgroup.Group
	group.SetLimit(l.traits.Concurrency)
	for _, c := range calls {
		if halted.Load() || l.admit(ctx, len(c.items)) != nil {
			break
		}
		group.Go(func() error {
			if halted.Load() || ctx.Err() != nil {
				return nil
			}
			l.exchange(work, c)
			if c.halts() {
				halted.Store(true)
			}
			return nil
		})
	}
	_ = group.Wait() // no call returns an error: what became of it is in the call
}

// admit waits until the rate limit lets n events through.
func (l *Lane) admit(ctx context.Context, n int) error {
	if l.limiter == nil {
		return ctx.Err()
	}
	for n > 0 {
		part := min(n, l.limiter.Burst())
		if err := l.limiter.WaitN(ctx, part); err != nil {
			return err
		}
		n -= part
	}
	return nil
}
