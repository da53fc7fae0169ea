package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// resume continues at the lane's last checkpoint. It publishes a checkpoint of its
// own, which fences off any other process.
func (l *Lane) resume(ctx context.Context) error {
	last, seq, ok, err := l.readLast(ctx)
	if err != nil {
		return err
	}
	first, end, err := l.deps.Source.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("read journal bounds: %w", err)
	}
	l.out.seq, l.out.epoch = seq, l.deps.Source.Epoch()
	clear(l.parking.entries)
	clear(l.out.intents)
	l.out.draft = draft{plan: l.deps.Tracer().PlanVersion()}
	switch {
	case !ok:
		l.out.start, err = l.origin(ctx, first, end)
		l.out.cursor = l.out.start
	case last.Removed:
		l.out.start, l.out.cursor = end, end
	case last.Epoch != l.out.epoch || end.Before(last.Watermark):
		err = l.abandon(ctx, &last)
		l.out.epoch, l.out.start, l.out.cursor = l.deps.Source.Epoch(), first, first
	default:
		l.out.start, l.out.cursor = last.Start, last.Watermark
		err = l.restore(ctx, &last)
	}
	if err != nil {
		return err
	}
	l.incidents.epoch = l.out.epoch
	if err := l.out.publish(ctx, nil); err != nil {
		return err
	}
	l.log.Info("lane begins", "epoch", l.out.epoch, "watermark", l.out.cursor.String(), "parked", len(l.parking.entries))
	l.show()
	return nil
}

// readLast reads the lane's last checkpoint; see OutcomeLog.Last.
func (l *Lane) readLast(ctx context.Context) (last event.Checkpoint, seq uint64, ok bool, err error) {
	if last, seq, ok, err = l.deps.OutcomeLog.Last(ctx, l.config.Name); err != nil {
		err = fmt.Errorf("read last checkpoint: %w", err)
	}
	return last, seq, ok, err
}

// Anchor makes durable where a lane that has never run, or was closed, begins;
// for any other lane it does nothing. Calling it before the first event can be
// accepted makes "now" mean then, and not whenever Run comes to it.
func (l *Lane) Anchor(ctx context.Context) error {
	last, _, ok, err := l.readLast(ctx)
	if err == nil && (!ok || last.Removed) {
		err = l.resume(ctx)
	}
	if err != nil {
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

// restore loads what the last checkpoint left: parked events, and intents that
// have no outcome yet.
func (l *Lane) restore(ctx context.Context, last *event.Checkpoint) error {
	for _, p := range last.Intents {
		l.out.intents[p] = struct{}{}
	}
	now := time.Now()
	for _, p := range last.Parked {
		// Which are sent alone is not written down, but how often they were tried is.
		w := &waiting{Parked: p, recordInfo: recordInfo{receivedAt: p.Since}, alone: !p.Since.IsZero() && p.Attempts >= l.config.IsolateAfter}
		rec, err := l.deps.Source.Get(ctx, p.Position)
		switch {
		case err == nil:
			w.recordInfo = infoOf(&rec)
		case !errors.Is(err, ErrGone):
			return fmt.Errorf("read parked event: %w", err)
		case w.receivedAt.IsZero():
			w.receivedAt = now
		}
		it := w.item()
		_, sent := l.out.intents[p.Position]
		switch {
		case sent:
			it.attempts++
			it.decide(event.Uncertain, reasonStopped, now)
			delete(l.out.intents, p.Position)
		case err != nil:
			it.decide(event.Expired, reasonLeft, now)
		default:
			l.parking.entries[p.Position] = w
			continue
		}
		l.out.draft.add(it.row)
	}
	l.out.decideIntents()
	return nil
}

// abandon gives an outcome to each intent and parked event of a journal that no
// longer exists. What became of its other events the lane cannot know.
func (l *Lane) abandon(ctx context.Context, last *event.Checkpoint) error {
	err := fmt.Errorf("the journal is another one than the lane last read: it stood at %s of epoch %s; "+
		"the lane begins at the start of epoch %s; what it had not sent of the old journal is lost to this tracker",
		last.Watermark, last.Epoch, l.deps.Source.Epoch())
	l.log.Error("journal epoch changed", "err", err)
	l.incidents.report("journal epoch", err)
	now := time.Now()
	sent := make(map[event.Position]bool)
	for _, p := range last.Intents {
		sent[p] = true
		l.out.draft.add(event.Delivery{Position: p, Outcome: event.Uncertain, Reason: reasonStopped, Attempts: 1, Time: now, Day: day(last.Time)})
	}
	for _, p := range last.Parked {
		if !sent[p.Position] {
			l.out.draft.add(event.Delivery{Position: p.Position, Outcome: event.Expired, Reason: reasonLeft, Attempts: p.Attempts, Time: now, Day: day(last.Time)})
		}
	}
	l.out.epoch, l.out.start, l.out.cursor = last.Epoch, last.Start, last.Watermark
	return l.out.publish(ctx, nil)
}
