package bigquery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Load stores the batch and its marks, each row once (see the package's
// documentation).
func (s *Store) Load(ctx context.Context, batch *warehouse.Batch) error {
	release, err := s.hold(ctx)
	if err != nil {
		return fmt.Errorf("load batch: %w", err)
	}
	defer release()
	if bad := s.oversized(batch); bad != nil {
		return bad
	}
	ctx, cancel := context.WithTimeout(ctx, s.loadTimeout(batch))
	defer cancel()
	ss, err := s.need(ctx)
	if err != nil {
		return fmt.Errorf("load batch: %w", err)
	}
	rest := batch.After(ss.state.marks())
	if rest.Empty() {
		return nil
	}
	l := &load{Store: s, session: ss, batch: rest, dropped: len(batch.Raw) - len(rest.Raw), at: time.Now()}
	err = l.run(ctx)
	if rows, refused := errors.AsType[*warehouse.RowsError](err); refused {
		return rows // what was stored before them is known, and ahead
	}
	if err != nil {
		s.doubt(err)
		return fmt.Errorf("load batch: %w", err)
	}
	return nil
}

// loadTimeout gives a batch the time of a call for each 8 MiB.
func (s *Store) loadTimeout(b *warehouse.Batch) time.Duration {
	size := 0
	for i := range b.Raw {
		size += len(b.Raw[i].Data) + len(b.Raw[i].Translated)
	}
	return s.config.Timeout * time.Duration(1+size>>23)
}

// oversized names the raw rows that are larger than an append can be.
func (s *Store) oversized(b *warehouse.Batch) error {
	var bad []warehouse.RowError
	for i := range b.Raw {
		r := &b.Raw[i]
		if r.Refused == "" && len(r.Data)+len(r.Context)+len(r.Translated) > int(s.config.MaxRow) {
			bad = append(bad, warehouse.RowError{Row: i, Reason: fmt.Sprintf("%d bytes of data, over the limit of %s", len(r.Data), s.config.MaxRow)})
		}
	}
	if bad != nil {
		return &warehouse.RowsError{Rows: bad}
	}
	return nil
}

// load is one batch on its way.
type load struct {
	*Store
	*session
	batch   *warehouse.Batch
	dropped int // rows of raw that the marks covered
	at      time.Time
}

func (l *load) run(ctx context.Context) error {
	if err := l.changeEpochs(ctx); err != nil {
		return err
	}
	for _, step := range [...][]func(context.Context) error{
		{l.loadNames, l.loadRaw},
		{l.loadQuarantine, l.loadDeliveries, l.loadFiltered, l.loadLeaks, l.loadGaps},
		{l.loadLanes},
	} {
		group, within := errgroup.WithContext(ctx)
		for _, part := range step {
			group.Go(func() error { return part(within) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	b := l.batch
	for t, rows := range map[*table]int{rawTable: len(b.Raw), deliveriesTable: len(b.Deliveries), filteredTable: len(b.Filtered), leaksTable: len(b.Leaks)} {
		c := l.tables[t]
		c.ahead = max(0, c.ahead-int64(rows))
	}
	return l.commit(ctx, l.session, l.state.advanced(b.Events, l.at).advanced(b.Outcomes, l.at))
}

// changeEpochs commits that what is ahead from now on is of the batch's epochs.
// Rows that are ahead of another epoch's mark stay: their journal is no more.
func (l *load) changeEpochs(ctx context.Context) error {
	next := *l.state
	if epoch := l.batch.Events.Epoch; epoch != "" && epoch != next.Events {
		next.Events = epoch
		l.tables[rawTable].ahead = 0
	}
	if epoch := l.batch.Outcomes.Epoch; epoch != "" && epoch != next.Outcomes {
		next.Outcomes = epoch
		for _, t := range counted[1:] {
			l.tables[t].ahead = 0
		}
	}
	if next.Events == l.state.Events && next.Outcomes == l.state.Outcomes {
		return nil
	}
	return l.commit(ctx, l.session, &next)
}

// count appends a counted table's rows but those that are stored already.
func (l *load) count(ctx context.Context, t *table, n int, encode func(i int) ([]byte, error)) error {
	c := l.tables[t]
	first := int(min(c.ahead, int64(n)))
	if first == n {
		return nil
	}
	stored, err := c.append(ctx, first, n, encode)
	c.ahead += int64(stored)
	return err
}

func (l *load) loadRaw(ctx context.Context) error {
	rows := l.batch.Raw
	err := l.count(ctx, rawTable, len(rows), func(i int) ([]byte, error) { return encodeRaw(&rows[i]), nil })
	bad, refused := errors.AsType[*refusal](err)
	if !refused {
		return err
	}
	list := &warehouse.RowsError{}
	for _, i := range slices.Sorted(maps.Keys(bad.rows)) {
		list.Rows = append(list.Rows, warehouse.RowError{Row: l.dropped + i, Reason: "refused by BigQuery: " + bad.rows[i]})
	}
	return list
}

// countBare appends a counted table's rows; one that is refused goes bare,
// without what came from outside.
func (l *load) countBare(ctx context.Context, t *table, n int, encode func(i int, bare bool) []byte) error {
	bare := map[int]bool{}
	for {
		err := l.count(ctx, t, n, func(i int) ([]byte, error) { return encode(i, bare[i]), nil })
		bad, refused := errors.AsType[*refusal](err)
		if !refused {
			return err
		}
		for i, reason := range bad.rows {
			if bare[i] {
				return fault.Permanent(fmt.Errorf("append to %s: a row is refused again: %s", t.name, reason))
			}
			bare[i] = true
			l.log.Warn("a row was refused and is stored without its texts", "table", t.name, "err", reason)
		}
	}
}

func (l *load) loadDeliveries(ctx context.Context) error {
	rows, epoch := l.batch.Deliveries, l.batch.Outcomes.Epoch
	return l.countBare(ctx, deliveriesTable, len(rows), func(i int, bare bool) []byte { return encodeDelivery(&rows[i], epoch, bare) })
}

func (l *load) loadFiltered(ctx context.Context) error {
	rows, epoch := l.batch.Filtered, l.batch.Outcomes.Epoch
	return l.countBare(ctx, filteredTable, len(rows), func(i int, bare bool) []byte { return encodeFiltered(&rows[i], epoch, bare) })
}

func (l *load) loadLeaks(ctx context.Context) error {
	rows, epoch := l.batch.Leaks, l.batch.Outcomes.Epoch
	return l.countBare(ctx, leaksTable, len(rows), func(i int, bare bool) []byte { return encodeLeak(&rows[i], epoch, bare) })
}

func (l *load) loadNames(ctx context.Context) error {
	names := l.batch.Names
	return l.note(ctx, namesTable, len(names), func(i int) ([]byte, error) {
		return newEncoder(64).date(storable(names[i].Day, true)).text(names[i].Source, names[i].Event).row, nil
	})
}

func (l *load) loadQuarantine(ctx context.Context) error {
	var refused []*warehouse.RawRow
	for i := range l.batch.Raw {
		if l.batch.Raw[i].Refused != "" {
			refused = append(refused, &l.batch.Raw[i])
		}
	}
	return l.note(ctx, quarantineTable, len(refused), func(i int) ([]byte, error) { return encodeQuarantine(refused[i], l.at), nil })
}

func (l *load) loadGaps(ctx context.Context) error {
	gaps := l.batch.Gaps
	return l.note(ctx, gapsTable, len(gaps), func(i int) ([]byte, error) { return encodeGap(&gaps[i], l.batch.Outcomes.Epoch, l.at), nil })
}

func (l *load) loadLanes(ctx context.Context) error {
	lanes := newestLanes(l.batch.Lanes)
	return l.note(ctx, lanesTable, len(lanes), func(i int) ([]byte, error) { return encodeLane(lanes[i], l.batch.Outcomes.Epoch) })
}

// notes are serialised by step: a table has one default stream.
func (s *Store) note(ctx context.Context, t *table, n int, encode func(i int) ([]byte, error)) error {
	if n == 0 {
		return nil
	}
	st, err := s.defaultStream(ctx, t)
	if err != nil {
		return err
	}
	_, err = st.append(ctx, 0, n, encode)
	return err
}
