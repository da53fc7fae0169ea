package delivery

import (
	"context"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

// stateInterval is how often a waiting lane publishes its state again.
const stateInterval = 30 * time.Second

// waitOutage waits while the vendor accepts nothing. What gets too old meanwhile
// is expired, in checkpoints of bounded size, so that the journal can be
// trimmed; everything else stays where it is. Every 30 seconds the lane's state
// is published again, so that the outcomes stream, which is kept from each
// lane's last checkpoint on, can be trimmed while other lanes go on.
func (l *Lane) waitOutage(ctx context.Context) error {
	for l.sender.breaker.state(time.Now()) == Open && ctx.Err() == nil {
		if err := l.measure(ctx); err != nil {
			return err
		}
		next, err := l.expire(ctx)
		if err != nil {
			return err
		}
		if l.out.draft.dirty() || time.Since(l.out.published) >= stateInterval {
			if err := l.out.publish(ctx, nil); err != nil {
				return err
			}
		}
		l.show()
		until := earlier(l.sender.breaker.due, l.out.published.Add(stateInterval))
		_ = retry.Sleep(ctx, time.Until(earlier(until, next)))
	}
	return nil
}
