package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Append stores the records, at least one, as neighbours in the events stream
// and returns the position of the first; the others follow at Index+1 and so on.
// It returns when they are durable. Concurrent calls share a message. The
// records may be used again as soon as Append returns.
//
// Errors: ErrFull, ErrUnavailable, ErrTooLarge, ErrClosed, or the context's. See
// the package documentation for which of them mean that nothing was stored.
// Appends are stored while Run runs; before, they wait.
func (j *Journal) Append(ctx context.Context, records [][]byte) (event.Position, error) {
	start := time.Now()
	position, err := j.append(ctx, records)
	if err != nil {
		j.metrics.refused(err)
		return event.Position{}, fmt.Errorf("append to journal: %w", err)
	}
	j.metrics.appendSeconds.Observe(time.Since(start).Seconds())
	return position, nil
}

func (j *Journal) append(ctx context.Context, records [][]byte) (event.Position, error) {
	if err := ctx.Err(); err != nil {
		return event.Position{}, err
	}
	size, err := j.encodedSize(records)
	if err != nil {
		return event.Position{}, err
	}
	if err := j.gate.events(); err != nil {
		return event.Position{}, cmp.Or(j.queue.refusal(), err)
	}
	g, index, err := j.queue.add(records, size)
	if err != nil {
		return event.Position{}, err
	}
	select {
	case <-g.done:
	case <-ctx.Done():
		return event.Position{}, ctx.Err()
	}
	if g.err != nil {
		return event.Position{}, g.err
	}
	return event.Position{Seq: g.seq, Index: index}, nil
}

func (j *Journal) encodedSize(records [][]byte) (int, error) {
	if len(records) == 0 || len(records) > math.MaxInt32 {
		return 0, fault.Permanent(fmt.Errorf("%d records", len(records)))
	}
	size := 0
	for _, r := range records {
		size += recordSize(r)
	}
	if size > j.largest-headerSize {
		return 0, fault.Permanent(fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, j.largest-headerSize))
	}
	return size, nil
}

// Ready reports why nothing can be appended now, or nil. It is cheap.
func (j *Journal) Ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.life.Err() != nil {
		return ErrClosed
	}
	if !j.writes.conn.IsConnected() {
		return errUnavailable(errors.New("not connected"))
	}
	return errors.Join(j.gate.events(), j.gate.stuck())
}
