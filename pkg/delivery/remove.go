package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// ErrNoLane is what Remove returns for a tracker that never ran.
var ErrNoLane = errors.New("no tracker of this name has ever run")

// endWait is how long Remove waits for records that the journal's bounds
// promise, before it counts them as lost.
const endWait = 10 * time.Second

// Remove closes the lane of a tracker that is taken out of the configuration.
// Everything that still waited, up to the journal's end at the time, gets the
// outcome expired with the reason "tracker removed"; what plan and consent would
// have held back is counted as filtered. The last checkpoint is closed. Its lane
// must not run in this process; one elsewhere is fenced off and ends.
//
// It is safe to call again after an error or a crash, and does nothing when the
// lane is closed already. It returns ErrNoLane when there is none.
func Remove(ctx context.Context, name string, deps Deps) error {
	if err := deps.check(); err != nil {
		return fmt.Errorf("remove tracker %s: %w", name, err)
	}
	config := DefaultConfig()
	config.Name = name
	l := build(config, nil, tracker.Traits{}, deps)
	l.closing = true
	defer l.in.close()
	defer l.sender.client.close()
	if err := l.remove(ctx); err != nil {
		return fmt.Errorf("remove tracker %s: %w", name, err)
	}
	return nil
}

func (l *Lane) remove(ctx context.Context) error {
	last, _, ok, err := l.readLast(ctx)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrNoLane
	case last.Removed:
		return nil
	}
	if err := l.resume(ctx); err != nil {
		return err
	}
	_, end, err := l.deps.Source.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("read journal bounds: %w", err)
	}
	if err := l.expireParked(ctx); err != nil {
		return err
	}
	for l.out.cursor.Before(end) {
		w, err := l.backlog(ctx, end)
		if err != nil {
			return err
		}
		if err := l.commitAndPublish(ctx, w); err != nil {
			return err
		}
	}
	l.out.closed = true
	return l.out.publish(ctx, nil)
}

// backlog reads a window of what is left before end.
func (l *Lane) backlog(ctx context.Context, end event.Position) (*window, error) {
	w, err := l.beginWindow(ctx, maxRows, maxRows)
	for more := true; err == nil && more && !w.full() && l.in.from.Before(end); {
		more, err = l.readMessage(ctx, w, time.Now().Add(endWait), func(rec *event.Record) bool { return rec.Receipt.Position.Before(end) })
		if more || err != nil {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if l.in.peek() == nil { // the bounds promised more records
			l.addGap(w, event.Gap{From: l.in.from, To: end})
			l.in.close()
		}
		w.end = end
	}
	return w, err
}
