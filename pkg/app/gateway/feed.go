package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/segment"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// feed reads the journal's events stream as records: decoded, receipts stamped,
// translated where another client's SDK sent them and, with an index, duplicates
// flagged. The three packages that read it declare an interface for its reader
// each, hence the three small adapters at the end of this file.
type feed struct {
	journal *journal.Journal
	index   *dedup.Index // nil: duplicates are not flagged
}

func (f feed) Epoch() string { return f.journal.Epoch() }

func (f feed) Bounds(ctx context.Context) (first, end event.Position, err error) {
	a, b, err := f.journal.Events().Bounds(ctx)
	return event.Position{Seq: a}, event.Position{Seq: b}, err
}

func (f feed) End(ctx context.Context) (event.Position, error) {
	_, end, err := f.Bounds(ctx)
	return end, err
}

func (f feed) At(ctx context.Context, t time.Time) (event.Position, error) {
	seq, err := f.journal.Events().SeqAt(ctx, t)
	return event.Position{Seq: seq}, err
}

func (f feed) Get(ctx context.Context, p event.Position) (event.Record, error) {
	message, err := f.journal.Events().Get(ctx, p.Seq)
	if errors.Is(err, journal.ErrGone) || err == nil && int(p.Index) >= len(message.Records) {
		return event.Record{}, fmt.Errorf("record %s: %w", p, delivery.ErrGone)
	}
	if err != nil {
		return event.Record{}, err
	}
	record, err := f.decode(message, int(p.Index))
	if err != nil {
		return event.Record{}, err
	}
	records := []event.Record{record}
	err = f.flagDuplicates(ctx, records)
	return records[0], err
}

func (f feed) decode(m journal.Message, index int) (event.Record, error) {
	record := event.Record{Receipt: event.Receipt{Epoch: f.journal.Epoch(), Position: event.Position{Seq: m.Seq, Index: uint32(index)}}}
	if err := record.UnmarshalBinary(m.Records[index]); err != nil {
		return record, fmt.Errorf("record %s: %w", record.Receipt, err)
	}
	segment.Translate(&record)
	return record, nil
}

func (f feed) flagDuplicates(ctx context.Context, records []event.Record) error {
	if f.index == nil {
		return nil
	}
	return f.index.FlagDuplicates(ctx, records)
}

func (f feed) open(ctx context.Context, from event.Position) (*feedReader, error) {
	reader, err := f.journal.Events().Read(ctx, from.Seq)
	if err != nil {
		return nil, err
	}
	return &feedReader{feed: f, reader: reader, from: from}, nil
}

// feedReader reads records from a position that may lie within a message.
type feedReader struct {
	feed   feed
	reader *journal.Reader
	from   event.Position
	ready  *event.Batch // decoded, but ctx ended before its duplicates were flagged
	lost   uint64       // messages lost since the last batch
}

// Next implements the readers of delivery, warehouse and dedup.
func (r *feedReader) Next(ctx context.Context) (event.Batch, error) {
	for r.ready == nil {
		message, err := r.reader.Next(ctx)
		if err != nil {
			return event.Batch{}, err
		}
		batch, err := r.decode(message)
		if err != nil {
			return event.Batch{}, err
		}
		r.lost += message.Lost
		if len(batch.Records) > 0 {
			batch.Lost, r.lost = r.lost, 0
			r.ready = &batch
		}
	}
	if err := r.feed.flagDuplicates(ctx, r.ready.Records); err != nil {
		return event.Batch{}, err
	}
	batch := *r.ready
	r.ready = nil
	return batch, nil
}

func (r *feedReader) decode(m journal.Message) (event.Batch, error) {
	batch := event.Batch{Next: event.Position{Seq: m.Seq + 1}}
	skip := 0
	if m.Seq == r.from.Seq {
		skip = min(int(r.from.Index), len(m.Records))
	}
	batch.Records = make([]event.Record, 0, len(m.Records)-skip)
	for i := skip; i < len(m.Records); i++ {
		record, err := r.feed.decode(m, i)
		if err != nil {
			return event.Batch{}, err
		}
		batch.Records = append(batch.Records, record)
	}
	return batch, nil
}

// Close implements the readers of delivery, warehouse and dedup.
func (r *feedReader) Close() error { return r.reader.Close() }

type laneFeed struct{ feed }

func (f laneFeed) Read(ctx context.Context, from event.Position) (delivery.Reader, error) {
	return f.open(ctx, from)
}

type loaderFeed struct{ feed }

func (f loaderFeed) Read(ctx context.Context, from event.Position) (warehouse.EventReader, error) {
	return f.open(ctx, from)
}

type indexFeed struct{ feed }

func (f indexFeed) Read(ctx context.Context, from event.Position) (dedup.Reader, error) {
	return f.open(ctx, from)
}
