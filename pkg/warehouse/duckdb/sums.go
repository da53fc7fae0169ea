//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// The sums of a day are kept in one of two ways. Most batches only add: their
// accepted events, and their first outcomes. What else can happen to a day, such
// as a new lane that begins within it, or a replay that gives an event another
// outcome, has the day counted again from its rows, by the SQL that verifies it.
type dayCounts struct {
	tx      *transaction
	recount map[time.Time]bool
}

// life is a lane's life before a batch.
type life struct {
	tracker, epoch string
	run            uint32
	start          event.Position
}

// beginSums adds a batch to the sums, before its lanes are stored. It returns the
// days that are to be counted again afterwards.
func (tx *transaction) beginSums(b *warehouse.Batch, stored []warehouse.StreamPosition) (*dayCounts, error) {
	c := &dayCounts{tx: tx, recount: map[time.Time]bool{}}
	for _, step := range [...]func(*warehouse.Batch) error{
		c.newDays, c.lives, c.gaps, c.replays,
		func(b *warehouse.Batch) error { return c.replacedJournal(b, stored) },
		c.add,
	} {
		if err := step(b); err != nil {
			return nil, fmt.Errorf("keep sums: %w", err)
		}
	}
	return c, nil
}

// finish counts again what could not be added.
func (c *dayCounts) finish(*warehouse.Batch) error {
	for _, day := range slices.SortedFunc(maps.Keys(c.recount), time.Time.Compare) {
		if err := c.tx.countDay(day); err != nil {
			return err
		}
	}
	return nil
}

// newDays has a day counted whose first rows are in the batch. One that has rows
// of an earlier release is left to Backfill.
func (c *dayCounts) newDays(b *warehouse.Batch) error {
	counted, err := c.tx.countedDays()
	if err != nil {
		return err
	}
	first := map[time.Time]*warehouse.RawRow{}
	for i := range b.Raw {
		if day := warehouse.Day(b.Raw[i].Timestamp); first[day] == nil && !slices.ContainsFunc(counted, day.Equal) {
			first[day] = &b.Raw[i]
		}
	}
	for day := range first {
		begin := &b.Raw[0].Receipt
		earlier, err := c.tx.days("r.day = $1 and not (r.epoch = $2 and (r.seq > $3 or (r.seq = $3 and r.idx >= $4)))",
			day, begin.Epoch, begin.Seq, begin.Index)
		if err != nil {
			return err
		}
		if len(earlier) == 0 {
			c.recount[day] = true
		}
	}
	return nil
}

// lives finds the days in which a lane begins or ends.
func (c *dayCounts) lives(b *warehouse.Batch) error {
	if len(b.Lanes) == 0 {
		return nil
	}
	closed := map[life]bool{}
	_, err := scanAll(c.tx.ctx, c.tx.conn, func(rows *sql.Rows) (l life, err error) {
		var ended bool
		err = rows.Scan(&l.tracker, &l.epoch, &l.run, &l.start.Seq, &l.start.Index, &ended)
		closed[l] = ended
		return l, err
	}, "select tracker, epoch, run, startSeq, startIdx, closed from lanes where run = 0")
	if err != nil {
		return fmt.Errorf("read lanes: %w", err)
	}
	for i := range b.Lanes {
		l := &b.Lanes[i]
		key := life{l.Tracker, l.Epoch, l.Run, l.Start}
		ended, found := closed[key]
		switch {
		case l.Run != 0:
			continue
		case !found:
			err = c.from(l.Epoch, l.Start)
		case l.Closed && !ended:
			err = c.from(l.Epoch, l.Watermark)
		}
		if err != nil {
			return err
		}
		closed[key] = l.Closed
	}
	return nil
}

// gaps finds the days of events that had left the journal.
func (c *dayCounts) gaps(b *warehouse.Batch) error {
	for i := range b.Gaps {
		g := &b.Gaps[i]
		if g.Run != 0 {
			continue
		}
		err := c.of("r.epoch = $1 and (r.seq > $2 or (r.seq = $2 and r.idx >= $3)) and (r.seq < $4 or (r.seq = $4 and r.idx < $5))",
			g.Epoch, g.From.Seq, g.From.Index, g.To.Seq, g.To.Index)
		if err != nil {
			return err
		}
	}
	return nil
}

// replays finds the days in which an event of the batch may have outcomes of
// several runs: only the highest counts.
func (c *dayCounts) replays(b *warehouse.Batch) error {
	if len(b.Deliveries) == 0 {
		return nil
	}
	replayed, err := scanAll(c.tx.ctx, c.tx.conn, scanDay,
		`select distinct day from staged_deliveries where run > 0 or tracker in (select tracker from lanes where run > 0)`)
	if err != nil {
		return fmt.Errorf("find replayed days: %w", err)
	}
	for _, day := range replayed {
		c.recount[day] = true
	}
	return nil
}

// replacedJournal finds the days of events that waited in a journal when another
// replaced it, and those of which its lanes still said something.
func (c *dayCounts) replacedJournal(b *warehouse.Batch, stored []warehouse.StreamPosition) error {
	latest := latestEvents(stored)
	if b.Events.Epoch != "" {
		latest = b.Events.Epoch
	}
	replaced := map[string]bool{}
	for i := range b.Lanes {
		if l := &b.Lanes[i]; latest != "" && l.Epoch != latest {
			replaced[l.Epoch] = true
		}
	}
	if before := latestEvents(stored); before != "" && before != latest {
		replaced[before] = true
	}
	for epoch := range replaced {
		err := c.of(`r.epoch = $1 and (
			(r.seq, r.idx) in (select (seq, idx) from parked where epoch = $1)
			or (r.seq, r.idx) in (select (seq, idx) from staged_deliveries where epoch = $1)
			or r.seq >= (select min(markSeq) from lanes where run = 0 and epoch = $1))`, epoch)
		if err != nil {
			return err
		}
	}
	return nil
}

// latestEvents is the epoch whose events were loaded last.
func latestEvents(stored []warehouse.StreamPosition) string {
	var last warehouse.StreamPosition
	for _, p := range stored {
		if p.Stream == warehouse.EventsStream && (last.Epoch == "" || p.Loaded.After(last.Loaded)) {
			last = p
		}
	}
	return last.Epoch
}

// add adds the accepted events and the outcomes of the batch to the sums of the
// other days.
func (c *dayCounts) add(b *warehouse.Batch) error {
	var d Dialect
	var parts []string
	if len(b.Raw) > 0 {
		first := &b.Raw[0].Receipt
		parts = append(parts, warehouse.CountAcceptedSQL(d, fmt.Sprintf("r.epoch = %s and (r.seq > %d or (r.seq = %d and r.idx >= %d))",
			d.Literal(first.Epoch), first.Seq, first.Seq, first.Index)))
	}
	if len(b.Deliveries) > 0 {
		parts = append(parts, fmt.Sprintf(addOutcomes, d.SumReason("r.reason")))
	}
	if len(parts) == 0 {
		return nil
	}
	var again []string
	for day := range c.recount {
		again = append(again, dayLiteral(day))
	}
	others := "true"
	if len(again) > 0 {
		others = "day not in (" + strings.Join(again, ", ") + ")"
	}
	if err := c.tx.exec(fmt.Sprintf(mergeSums, strings.Join(parts, " union all "), others)); err != nil {
		return fmt.Errorf("add to sums: %w", err)
	}
	return nil
}

// from has the days counted again of the rows from a position on.
func (c *dayCounts) from(epoch string, p event.Position) error {
	return c.of("r.epoch = $1 and (r.seq > $2 or (r.seq = $2 and r.idx >= $3))", epoch, p.Seq, p.Index)
}

// of has the days counted again of the rows of a condition, unless they are left
// to Backfill.
func (c *dayCounts) of(condition string, args ...any) error {
	days, err := c.tx.days(condition, args...)
	if err != nil {
		return err
	}
	counted, err := c.tx.countedDays()
	if err != nil {
		return err
	}
	for _, day := range days {
		if slices.ContainsFunc(counted, day.Equal) {
			c.recount[day] = true
		}
	}
	return nil
}

// countDay counts a day from its rows.
func (tx *transaction) countDay(day time.Time) error {
	if err := tx.exec("delete from sums where day = $1", day); err != nil {
		return fmt.Errorf("replace sums of %s: %w", day.Format(time.DateOnly), err)
	}
	if err := tx.exec(insertSums + warehouse.CountSQL(Dialect{}, "r.day = "+dayLiteral(day)) + insertSumsEnd); err != nil {
		return fmt.Errorf("count %s: %w", day.Format(time.DateOnly), err)
	}
	return tx.exec("insert into counted_days select $1 where $1 not in (select day from counted_days)", day)
}

func (tx *transaction) countedDays() ([]time.Time, error) {
	days, err := scanAll(tx.ctx, tx.conn, scanDay, "select day from counted_days")
	if err != nil {
		return nil, fmt.Errorf("read counted days: %w", err)
	}
	return days, nil
}

// days are those of rows r of raw that meet a condition.
func (tx *transaction) days(condition string, args ...any) ([]time.Time, error) {
	days, err := scanAll(tx.ctx, tx.conn, scanDay, "select distinct r.day from raw as r where "+condition, args...)
	if err != nil {
		return nil, fmt.Errorf("find days: %w", err)
	}
	return days, nil
}

func scanDay(rows *sql.Rows) (day time.Time, err error) {
	err = rows.Scan(&day)
	return day.UTC(), err
}

func dayLiteral(day time.Time) string { return "date '" + day.Format(time.DateOnly) + "'" }

// countNextDay counts one day that is not counted yet, the newest first. It
// returns how many are left, -1 if there was none.
func (tx *transaction) countNextDay() (left int64, err error) {
	days, err := scanAll(tx.ctx, tx.conn, scanDay, "select day from (select distinct day from raw) where day not in (select day from counted_days) order by day desc")
	if err != nil || len(days) == 0 {
		return -1, err
	}
	return int64(len(days) - 1), tx.countDay(days[0])
}

// SumDays implements warehouse.SumKeeper.
func (f *file) SumDays(ctx context.Context) (days []time.Time, err error) {
	err = f.use(func(db *sql.DB) error {
		days, err = scanAll(ctx, db, scanDay, "select day from counted_days order by day")
		return err
	})
	return days, err
}

// VerifySums implements warehouse.SumKeeper. One query sees one state.
func (f *file) VerifySums(ctx context.Context, day time.Time) (differences []warehouse.SumDifference, err error) {
	err = f.use(func(db *sql.DB) error {
		at := dayLiteral(day)
		differences, err = scanAll(ctx, db, func(rows *sql.Rows) (d warehouse.SumDifference, err error) {
			err = rows.Scan(&d.Day, &d.Source, &d.Event, &d.Tracker, &d.Outcome, &d.Reason, &d.Kept, &d.Counted)
			return d, err
		}, fmt.Sprintf(verifySums, at, warehouse.CountSQL(Dialect{}, "r.day = "+at)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify sums of %s: %w", day.Format(time.DateOnly), err)
	}
	return differences, nil
}

const (
	// addOutcomes counts the staged outcomes of the lanes, as "outcomes" of
	// package warehouse counts those that are stored.
	addOutcomes = `select r.day, r.source, r.event, r.tracker, r.outcome, %s as reason, count(*) as n
		from staged_deliveries as r
		join lanes as l on l.run = 0 and l.epoch = r.epoch and l.tracker = r.tracker
			and (r.seq > l.startSeq or (r.seq = l.startSeq and r.idx >= l.startIdx))
			and (not l.closed or r.seq < l.markSeq or (r.seq = l.markSeq and r.idx < l.markIdx))
		where r.source is not null
		group by all`
	mergeSums = `merge into sums as t
		using (
			select day, source, event, tracker, outcome, reason, sum(n)::bigint as n from (%s) as part
			where day in (select day from counted_days) and %s
			group by all
		) as s
		on t.day = s.day and t.source = s.source and t.event = s.event and t.tracker = s.tracker and t.outcome = s.outcome and t.reason = s.reason
		when matched then update set n = t.n + s.n
		when not matched then insert (day, source, event, tracker, outcome, reason, n)
			values (s.day, s.source, s.event, s.tracker, s.outcome, s.reason, s.n)`
	insertSums    = `insert into sums select day, source, event, tracker, outcome, reason, sum(n)::bigint as n from (`
	insertSumsEnd = `) as part group by all having sum(n) <> 0`
	verifySums    = `select coalesce(k.day, c.day), coalesce(k.source, c.source), coalesce(k.event, c.event), coalesce(k.tracker, c.tracker),
			coalesce(k.outcome, c.outcome), coalesce(k.reason, c.reason), coalesce(k.n, 0)::bigint, coalesce(c.n, 0)::bigint
		from (select * from sums where day = %s and n <> 0) as k
		full join (
			select day, source, event, tracker, outcome, reason, sum(n)::bigint as n from (%s) as part group by all having sum(n) <> 0
		) as c
		on k.day = c.day and k.source = c.source and k.event = c.event and k.tracker = c.tracker and k.outcome = c.outcome and k.reason = c.reason
		where k.n is distinct from c.n
		order by all`
)
