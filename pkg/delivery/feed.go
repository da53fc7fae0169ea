package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// feed reads the journal on from a position and keeps the rest of a message
// that did not fit into a window.
type feed struct {
	source Events
	reader Reader
	from   event.Position // after the last record that was handed out
	rest   []event.Record
	next   event.Position // of the message after rest
}

// seek makes the feed read from p.
func (in *feed) seek(ctx context.Context, p event.Position) (gap event.Gap, err error) {
	if in.reader != nil && in.from == p {
		return event.Gap{}, nil
	}
	in.close()
	first, _, err := in.source.Bounds(ctx)
	if err != nil {
		return event.Gap{}, fmt.Errorf("read journal bounds: %w", err)
	}
	if p.Before(first) {
		gap = event.Gap{From: p, To: first}
		p = first
	}
	reader, err := in.source.Read(ctx, p)
	if err != nil {
		return event.Gap{}, fmt.Errorf("read journal at %s: %w", p, err)
	}
	in.reader, in.from = reader, p
	return gap, nil
}

func (in *feed) close() {
	if in.reader != nil {
		in.reader.Close() //nolint:errcheck // nothing was written through it
	}
	in.reader, in.rest = nil, nil
}

// fill reads the next message if none is at hand, waiting no longer than until
// deadline. ok is false when none came. lost is the gap before its records.
func (in *feed) fill(ctx context.Context, deadline time.Time) (ok bool, lost event.Gap, err error) {
	if len(in.rest) > 0 {
		return true, lost, nil
	}
	wait, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	batch, err := in.reader.Next(wait)
	if err != nil {
		if wait.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
			return false, lost, nil
		}
		return false, lost, fmt.Errorf("read journal after %s: %w", in.from, err)
	}
	if batch.Lost > 0 && len(batch.Records) > 0 {
		lost = event.Gap{From: in.from, To: event.Position{Seq: batch.Records[0].Receipt.Seq}}
	}
	records := batch.Records
	for len(records) > 0 && records[0].Receipt.Position.Before(in.from) {
		records = records[1:]
	}
	in.rest, in.next = records, batch.Next
	if len(records) == 0 && in.from.Before(batch.Next) {
		in.from = batch.Next
	}
	return len(records) > 0, lost, nil
}

// peek returns the next record at hand, nil for none.
func (in *feed) peek() *event.Record {
	if len(in.rest) == 0 {
		return nil
	}
	return &in.rest[0]
}

// pop hands out the next record of rest. The position after the last one of
// a message is that of the next message.
func (in *feed) pop() *event.Record {
	rec := &in.rest[0]
	in.rest = in.rest[1:]
	in.from = rec.Receipt.Position.Next()
	if len(in.rest) == 0 {
		in.from = in.next
	}
	return rec
}
