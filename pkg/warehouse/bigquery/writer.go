package bigquery

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// writer loads batches through streams of its own. It lives until an error leaves
// open which rows are stored: the next writer, of this process or another, finds
// that out. It is not for several goroutines at once.
type writer struct {
	commits  *commitLog
	defaults *defaultStreams
	counters map[*table]*counter // by counted table
	last     *commit             // the newest
	log      *slog.Logger
}

// counter is a counted table's stream, and how many of the table's rows are
// ahead of the stream position.
type counter struct {
	*stream
	ahead int64
}

// append appends a table's n rows, but not the first ones, which are stored.
func (c *counter) append(ctx context.Context, n int, encode func(i int) []byte) error {
	first := int(min(c.ahead, int64(n)))
	if first == n {
		return nil
	}
	stored, err := c.stream.append(ctx, first, n, encode)
	c.ahead += int64(stored)
	return err
}

// openWriter ends the writer before, of whichever process, and begins the next:
// it finalizes the old streams, counts the rows ahead, creates new streams and
// commits them. sumsLost says that the sums of earlier commits may be lost.
func openWriter(ctx context.Context, c *client, commits *commitLog, defaults *defaultStreams, sumsLost bool, log *slog.Logger) (_ *writer, err error) {
	w := &writer{commits: commits, defaults: defaults, counters: map[*table]*counter{}, log: log}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.last, err = commits.open(ctx); err != nil {
		return nil, err
	}
	group, within := errgroup.WithContext(ctx)
	for _, t := range counted {
		counter := &counter{}
		w.counters[t] = counter
		group.Go(func() (err error) {
			if counter.ahead, err = c.finalize(within, t, w.last); err != nil {
				return err
			}
			counter.stream, err = c.createStream(within, t)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	next, err := c.withSums(ctx, w.last, sumsLost)
	if err != nil {
		return nil, err
	}
	if err := w.commit(ctx, next); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *writer) close() {
	w.commits.close()
	for _, c := range w.counters {
		c.close()
	}
}

// commit appends the next version: next with the streams as they are now.
func (w *writer) commit(ctx context.Context, next *commit) error {
	c := *next
	c.Version++
	c.Tables = map[string]streamedTable{}
	maps.Copy(c.Tables, next.Tables)
	for t, counter := range w.counters {
		c.Tables[t.name] = streamedTable{Stream: counter.name, Rows: counter.offset, Ahead: counter.ahead}
	}
	if err := w.commits.append(ctx, &c); err != nil {
		return err
	}
	c.Changes = "" // they are stored
	w.last = &c
	return nil
}

// finalize finalizes the stream that a counted table was written through, and
// returns how many rows of the table are ahead of the stream position.
func (c *client) finalize(ctx context.Context, t *table, last *commit) (ahead int64, err error) {
	if was := last.Tables[t.name]; was.Stream != "" {
		rows, err := c.finalizeStream(ctx, t, was.Stream)
		if err != nil {
			return 0, err
		}
		if since := rows - was.Rows; since >= 0 {
			return was.Ahead + since, nil
		}
	}
	if ahead, err = c.countAhead(ctx, t, last); err != nil {
		return 0, fmt.Errorf("count rows of %s ahead of the stream position: %w", t.name, judged(err))
	}
	return ahead, nil
}

// lookBack bounds how old a row ahead of the position can be when it is loaded:
// no journal keeps records for longer.
const lookBack = 60 * 24 * time.Hour

// countAhead counts the rows of a counted table that are ahead of the stream
// position by a query.
func (c *client) countAhead(ctx context.Context, t *table, last *commit) (int64, error) {
	epoch, stream := last.Outcomes, warehouse.OutcomesStream
	condition := "reportEpoch = @epoch and reportSeq >= @seq and day >= date(@since)"
	if t == rawTable {
		epoch, stream = last.Events, warehouse.EventsStream
		condition = "epoch = @epoch and (seq > @seq or (seq = @seq and idx >= @idx)) and timestamp >= @since"
	}
	if epoch == "" {
		return 0, nil
	}
	position := last.position(stream, epoch)
	return c.count(ctx, t, condition, map[string]any{
		"epoch": epoch, "seq": int64(position.Seq), "idx": int64(position.Index), "since": time.Now().UTC().Add(-lookBack),
	})
}
