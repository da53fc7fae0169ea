package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// attach takes the lane up where its last report left it and says so in a
// report of its own, which fences off any other process. It waits out errors.
func (l *Lane) attach(ctx context.Context) error {
	for ctx.Err() == nil {
		err := l.resume(ctx)
		if err == nil || errors.Is(err, ErrFenced) {
			return err
		}
		if err := l.endure(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lane) resume(ctx context.Context) error {
	last, seq, ok, err := l.deps.OutcomeLog.Last(ctx, l.config.Name)
	if err != nil {
		return fmt.Errorf("read last report: %w", err)
	}
	first, end, err := l.deps.Source.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("read journal bounds: %w", err)
	}
	l.seq, l.epoch = seq, l.deps.Source.Epoch()
	clear(l.parked)
	clear(l.carried)
	l.draft = draft{plan: l.deps.Tracer().PlanVersion()}
	switch {
	case !ok:
		l.start, err = l.origin(ctx, first, end)
		l.watermark = l.start
	case last.Closed:
		l.start, l.watermark = end, end
	case last.Epoch != l.epoch || end.Before(last.Watermark):
		err = l.abandon(ctx, &last)
		l.epoch, l.start, l.watermark = l.deps.Source.Epoch(), first, first
	default:
		l.start, l.watermark = last.Start, last.Watermark
		err = l.restore(ctx, &last)
	}
	if err != nil {
		return err
	}
	if err := l.publish(ctx, nil); err != nil {
		return err
	}
	l.log.Info("lane begins", "epoch", l.epoch, "watermark", l.watermark.String(), "parked", len(l.parked))
	l.board.update(l)
	return nil
}

// Anchor makes durable where a lane that has never run, or was closed, begins;
// for any other lane it does nothing. Calling it before the first event can be
// accepted makes "now" mean then, and not whenever Run comes to it.
func (l *Lane) Anchor(ctx context.Context) error {
	last, _, ok, err := l.deps.OutcomeLog.Last(ctx, l.config.Name)
	if err != nil {
		return fmt.Errorf("anchor lane %s: read last report: %w", l.config.Name, err)
	}
	if ok && !last.Closed {
		return nil
	}
	if err := l.resume(ctx); err != nil {
		return fmt.Errorf("anchor lane %s: %w", l.config.Name, err)
	}
	return nil
}

// origin is where a lane that has never run begins.
func (l *Lane) origin(ctx context.Context, first, end event.Position) (event.Position, error) {
	switch l.config.From {
	case FromNow:
		return end, nil
	case FromStart:
		return first, nil
	}
	from, err := l.config.fromTime()
	if err != nil {
		return event.Position{}, fmt.Errorf("from: %w", err)
	}
	p, err := l.deps.Source.At(ctx, from)
	if err != nil {
		return event.Position{}, fmt.Errorf("find journal position of %s: %w", l.config.From, err)
	}
	return p, nil
}

// restore takes over what the last report left: parked events, and events that
// it announced and nobody reported on.
func (l *Lane) restore(ctx context.Context, last *event.Checkpoint) error {
	for _, p := range last.Intents {
		l.carried[p] = struct{}{}
	}
	now := time.Now()
	for _, p := range last.Parked {
		// Which are sent alone is not written down, but how often they were tried is.
		w := &waiting{Parked: p, receivedAt: p.Since, alone: !p.Since.IsZero() && p.Attempts >= l.config.IsolateAfter}
		rec, err := l.deps.Source.Get(ctx, p.Position)
		switch {
		case err == nil:
			w.eventID, w.receivedAt = rec.EventID, rec.ReceivedAt
		case !errors.Is(err, ErrGone):
			return fmt.Errorf("read parked event: %w", err)
		case w.receivedAt.IsZero():
			w.receivedAt = now
		}
		it := w.item()
		_, sent := l.carried[p.Position]
		switch {
		case sent:
			it.attempts++
			it.decide(event.Uncertain, reasonStopped, now)
			delete(l.carried, p.Position)
		case err != nil:
			it.decide(event.Expired, reasonLeft, now)
		default:
			l.parked[p.Position] = w
			continue
		}
		l.draft.add(it.row)
	}
	l.settleCarried()
	return nil
}

// abandon closes the books on a journal that is not there any more. Where its
// positions went the lane cannot know; what it still had in hand it can say.
func (l *Lane) abandon(ctx context.Context, last *event.Checkpoint) error {
	err := fmt.Errorf("the journal is another one than the lane last read: it stood at %s of epoch %s; "+
		"the lane begins at the start of epoch %s; what it had not sent of the old journal is lost to this tracker",
		last.Watermark, last.Epoch, l.deps.Source.Epoch())
	l.log.Error("journal epoch changed", "err", err)
	l.internal("journal epoch", err)
	now := time.Now()
	sent := make(map[event.Position]bool)
	for _, p := range last.Intents {
		sent[p] = true
		l.draft.add(event.Delivery{Position: p, Outcome: event.Uncertain, Reason: reasonStopped, Attempts: 1, Time: now, Day: day(last.Time)})
	}
	for _, p := range last.Parked {
		if !sent[p.Position] {
			l.draft.add(event.Delivery{Position: p.Position, Outcome: event.Expired, Reason: reasonLeft, Attempts: p.Attempts, Time: now, Day: day(last.Time)})
		}
	}
	l.epoch, l.start, l.watermark = last.Epoch, last.Start, last.Watermark
	return l.publish(ctx, nil)
}
