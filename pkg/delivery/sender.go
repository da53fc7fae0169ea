package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// maxAgain is how often an event is sent again at once before it has to wait
// like any other that the vendor does not accept.
const maxAgain = 3

// sender brings a window's events to the vendor: it translates them, performs
// the requests within the vendor's limits, and sets each event's result in its
// item. An event that has to be parked is such a result; the sender parks nothing.
type sender struct {
	config    Config
	tracker   tracker.Tracker
	traits    tracker.Traits
	budget    time.Duration // how long an event is tried again
	client    *client
	limiter   *rate.Limiter // nil for no limit
	log       *slog.Logger
	metrics   *laneMetrics
	incidents *incidents

	breaker  breaker
	pace     pace
	speed    float64   // events a second, of the last window that was sent
	isolated time.Time // when an event was last found on which the vendor fails
	overRate bool      // more came in than may be sent, in the last whole minute
}

func newSender(config Config, t tracker.Tracker, traits tracker.Traits, client *client, log *slog.Logger, metrics *laneMetrics, incidents *incidents) *sender {
	s := &sender{
		config: config, tracker: t, traits: traits, budget: config.budget(traits),
		client: client, log: log, metrics: metrics, incidents: incidents,
	}
	if traits.Rate > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(traits.Rate), traits.Burst)
	}
	return s
}

// call is one request and the events it carries.
type call struct {
	items   []*item
	request tracker.Request

	sent      bool
	roundTrip roundTrip
	verdicts  []tracker.Verdict
	precheck  *call // performed the request before this one, nil for none
}

// translate turns groups of events into requests, each group into its own. What the tracker rejects is decided.
func (s *sender) translate(tasks [][]*item) []*call {
	var calls []*call
	for _, items := range tasks {
		for part := range slices.Chunk(items, s.traits.MaxBatch) {
			calls = append(calls, s.translateBatch(part)...)
		}
	}
	return calls
}

func (s *sender) translateBatch(items []*item) []*call {
	batch := make([]event.Event, len(items))
	for i, it := range items {
		batch[i] = it.event
	}
	requests, rejections, err := s.requests(batch)
	if err != nil && len(items) > 1 { // find the one that the tracker fails on
		half := len(items) / 2
		return append(s.translateBatch(items[:half]), s.translateBatch(items[half:])...)
	}
	now, left := time.Now(), slices.Clone(items)
	for _, r := range rejections {
		for _, it := range claim(left, []int{r.Event}) {
			outcome := event.Rejected
			if r.Skip {
				outcome = event.Filtered
			}
			it.decide(outcome, r.Reason, now)
		}
	}
	var calls []*call
	for _, r := range requests {
		if claimed := claim(left, r.Events); len(claimed) > 0 {
			calls = append(calls, &call{items: claimed, request: r})
		}
	}
	for _, it := range left {
		if it != nil {
			it.decide(event.Rejected, "the tracker could not translate it: a bug of its kind", now)
			s.incidents.report("tracker", fmt.Errorf("translate: event in no request and no rejection, or in two (%v)", err))
		}
	}
	return calls
}

// claim removes the items at the indexes from left. If one of them is not there,
// it claims none.
func claim(left []*item, indexes []int) []*item {
	var claimed []*item
	for _, i := range indexes {
		if i < 0 || i >= len(left) || left[i] == nil {
			return nil
		}
		claimed = append(claimed, left[i])
	}
	for _, i := range indexes {
		left[i] = nil
	}
	return claimed
}

// requests calls the tracker, whose panic is an error of this batch alone.
func (s *sender) requests(batch []event.Event) (requests []tracker.Request, rejections []tracker.Rejection, err error) {
	defer func() {
		if p := recover(); p != nil {
			requests, rejections, err = nil, nil, fmt.Errorf("tracker panicked in Requests: %T", p)
		}
	}()
	requests, rejections = s.tracker.Requests(batch)
	return requests, rejections, nil
}

// sendWindow sends the calls of a window of n events and measures how many a
// second the vendor accepts.
func (s *sender) sendWindow(ctx, work context.Context, calls []*call, n int, isolating bool) {
	begun := time.Now()
	if isolating {
		s.breaker.isolations++
	}
	s.send(ctx, work, calls, isolating)
	s.speed = float64(n) / max(time.Since(begun), time.Millisecond).Seconds()
}

// send performs calls until each event is decided or parked, or the vendor accepts
// nothing more, or ctx ends; what is left stays pending. Of isolating calls, each of one
// event, the vendor may fail on some: if it accepts others, these are parked.
func (s *sender) send(ctx, work context.Context, calls []*call, isolating bool) {
	passed := false
	for len(calls) > 0 && ctx.Err() == nil {
		s.perform(ctx, work, calls, isolating)
		var follow [][]*item
		var failed []*call
		var outage, failure *tracker.Verdict
		serverFailed := true
		for _, c := range calls {
			tasks, wait := s.apply(c)
			follow = append(follow, tasks...)
			if isolating && wait != nil && c.serverFailed() {
				failed, failure = append(failed, c), wait
				continue
			}
			passed = passed || c.sent && wait == nil && !c.serverFailed()
			serverFailed = serverFailed && (wait == nil || c.serverFailed())
			if wait != nil && (outage == nil || wait.After > outage.After || wait.Alarm && !outage.Alarm) {
				outage = wait
			}
		}
		if passed {
			s.parkIsolated(failed)
		} else if outage == nil {
			outage = failure
		}
		if outage != nil {
			if ctx.Err() == nil {
				s.beginOutage(*outage, serverFailed)
			}
			return
		}
		if isolating {
			s.accepted(ctx, passed)
		}
		calls, isolating = s.translate(follow), false
	}
	s.accepted(ctx, passed)
}

// accepted closes the breaker if the vendor accepted something.
func (s *sender) accepted(ctx context.Context, passed bool) {
	if passed && ctx.Err() == nil && s.breaker.reset() {
		s.log.Info("vendor accepts events again")
	}
}

// roundTrip performs one call.
func (s *sender) roundTrip(work context.Context, c *call) {
	c.sent = true
	if s.performBefore(work, c) {
		c.roundTrip = s.client.do(work, &c.request)
		c.verdicts = s.judge(c)
	}
}

// perform sends calls, some at once, until one says that the vendor accepts
// nothing. Requests under way then finish; the others are not sent. Isolating calls
// go one after the other, and a failure of the vendor stops none.
func (s *sender) perform(ctx, work context.Context, calls []*call, isolating bool) {
	var halted atomic.Bool
	var group errgroup.Group
	group.SetLimit(s.traits.Concurrency)
	if isolating {
		group.SetLimit(1)
	}
	for _, c := range calls {
		if halted.Load() || s.allow(ctx, len(c.items)) != nil {
			break
		}
		group.Go(func() error {
			if halted.Load() || ctx.Err() != nil {
				return nil
			}
			s.roundTrip(work, c)
			if c.halts() && !(isolating && c.serverFailed()) {
				halted.Store(true)
			}
			return nil
		})
	}
	_ = group.Wait() // no call returns an error: what became of it is in the call
}

// allow waits until the rate limit lets n events through.
func (s *sender) allow(ctx context.Context, n int) error {
	if s.limiter == nil {
		return ctx.Err()
	}
	for n > 0 {
		part := min(n, s.limiter.Burst())
		if err := s.limiter.WaitN(ctx, part); err != nil {
			return err
		}
		n -= part
	}
	return nil
}

// park has the item wait for an attempt of its own, or rejects it when that
// attempt would come after its budget.
func (s *sender) park(it *item, reason string, after time.Duration, now time.Time) {
	if it.since.IsZero() {
		it.since = now
	}
	it.failure = event.Truncate(reason, maxReason)
	it.due = now.Add(delay(it.attempts, after))
	if it.due.Sub(it.since) >= s.budget {
		it.decide(event.Rejected, exhausted(reason), now)
		return
	}
	it.state = parked
}
