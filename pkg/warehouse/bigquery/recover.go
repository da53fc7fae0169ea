package bigquery

import (
	"context"
	"fmt"
	"time"

	rest "cloud.google.com/go/bigquery"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// lookBack bounds how old a row ahead of the mark can be when it is loaded: no
// journal keeps records for longer.
const lookBack = 60 * 24 * time.Hour

// countAhead counts the rows of a counted table that are ahead of the mark.
func (s *Store) countAhead(ctx context.Context, t *table, known *state) (int64, error) {
	epoch, stream := known.Outcomes, warehouse.OutcomesStream
	if t == rawTable {
		epoch, stream = known.Events, warehouse.EventsStream
	}
	if epoch == "" {
		return 0, nil
	}
	mark := known.mark(stream, epoch)
	query := "select count(*) from " + s.named(t.name) + " where reportEpoch = @epoch and reportSeq >= @seq"
	if t == rawTable {
		query = "select count(*) from " + s.named(t.name) + " where epoch = @epoch and (seq > @seq or (seq = @seq and idx >= @idx)) and timestamp >= @since"
	} else {
		query += " and day >= date(@since)"
	}
	rows, err := s.read(ctx, query, map[string]any{
		"epoch": epoch, "seq": int64(mark.Seq), "idx": int64(mark.Index), "since": time.Now().UTC().Add(-lookBack),
	})
	if err != nil {
		return 0, err
	}
	n, _ := rows[0][0].(int64)
	return n, nil
}

// recovered is the state of a dataset without a commit: a new one, or one whose
// log was dropped. Rows of raw are in the journal's order, so its last row is
// the events' mark; a lane's row is stored after all that its report counts, so
// the last is the outcomes'.
func (s *Store) recovered(ctx context.Context) (*state, error) {
	st := &state{Tables: map[string]streamedTable{}}
	rows, err := s.read(ctx, `select epoch, seq, max(idx) from `+s.named(rawTable.name)+` where struct(epoch, seq) in (
		select struct(epoch, max(seq)) from `+s.named(rawTable.name)+` group by epoch) group by epoch, seq`, nil)
	if err != nil {
		return nil, fmt.Errorf("recover marks of events: %w", err)
	}
	at := time.Now()
	for _, row := range rows {
		epoch, _ := row[0].(string)
		seq, _ := row[1].(int64)
		idx, _ := row[2].(int64)
		next := event.Position{Seq: uint64(seq), Index: uint32(idx)}.Next()
		st = st.advanced(warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: epoch, Next: next}, at)
	}
	rows, err = s.read(ctx, "select reportEpoch, max(reportSeq), max(reported) as newest from "+s.named(lanesTable.name)+" group by reportEpoch order by newest", nil)
	if err != nil {
		return nil, fmt.Errorf("recover marks of outcomes: %w", err)
	}
	for _, row := range rows {
		epoch, _ := row[0].(string)
		seq, _ := row[1].(int64)
		st = st.advanced(warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: uint64(seq) + 1}}, at)
		st.Outcomes = epoch
	}
	return st, nil
}

// read runs a query of the adapter's own and returns its rows. Its cost is
// bounded by the tables it reads.
func (s *Store) read(ctx context.Context, query string, parameters map[string]any) (rows [][]rest.Value, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	q := s.rest.Query(query)
	q.Location = s.config.Location
	q.DisableQueryCache = true // what is asked for is the newest
	for name, value := range parameters {
		q.Parameters = append(q.Parameters, rest.QueryParameter{Name: name, Value: value})
	}
	it, err := q.Read(ctx)
	if err != nil {
		return nil, judged(err)
	}
	for {
		var row []rest.Value
		switch err := it.Next(&row); {
		case err == done:
			return rows, nil
		case err != nil:
			return nil, judged(err)
		}
		rows = append(rows, row)
	}
}
