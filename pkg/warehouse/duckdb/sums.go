//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// dayCounts keeps the sums of the days of one batch. Most batches only add: their
// accepted events, and their first outcomes. What else can happen to a day, such
// as a new lane that begins within it, or a replay that gives an event another
// outcome, has the day counted again from its rows, by the SQL that verifies it.
type dayCounts struct {
	tx      *transaction
	counted map[time.Time]bool // days whose sums are kept
	recount map[time.Time]bool
	lives   []life          // of lanes, before the batch
	replays map[string]bool // trackers that have outcomes of a replay
	sums    map[sum]int64
}

// life is a lane's life.
type life struct {
	tracker, epoch string
	start, mark    event.Position
	closed         bool
}

// owns reports whether a record of the life's epoch is the lane's to deliver.
func (l *life) owns(p event.Position) bool {
	return !p.Before(l.start) && (!l.closed || p.Before(l.mark))
}

// sum is what one row of sums counts.
type sum struct {
	day                                     time.Time
	source, event, tracker, outcome, reason string
}

// beginSums adds a batch to the sums, before its lanes are stored. It returns the
// days that are to be counted again afterwards.
func (tx *transaction) beginSums(b *warehouse.Batch, stored []warehouse.StreamPosition) (*dayCounts, error) {
	c := &dayCounts{tx: tx, counted: map[time.Time]bool{}, recount: map[time.Time]bool{}, replays: map[string]bool{}, sums: map[sum]int64{}}
	for _, step := range [...]func(*warehouse.Batch) error{
		c.read, c.newDays, c.changedLives, c.gaps, c.replayed,
		func(b *warehouse.Batch) error { return c.replacedJournal(b, stored) },
		c.add,
	} {
		if err := step(b); err != nil {
			return nil, fmt.Errorf("keep sums: %w", err)
		}
	}
	return c, nil
}

// read reads what is there before the batch.
func (c *dayCounts) read(*warehouse.Batch) error {
	days, err := scanAll(c.tx.ctx, c.tx.conn, scanDay, "select day from counted_days")
	if err != nil {
		return fmt.Errorf("read counted days: %w", err)
	}
	for _, day := range days {
		c.counted[day] = true
	}
	_, err = scanAll(c.tx.ctx, c.tx.conn, func(rows *sql.Rows) (l life, err error) {
		var run uint32
		err = rows.Scan(&l.tracker, &l.epoch, &run, &l.start.Seq, &l.start.Index, &l.mark.Seq, &l.mark.Index, &l.closed)
		if run == 0 {
			c.lives = append(c.lives, l)
		} else {
			c.replays[l.tracker] = true
		}
		return l, err
	}, "select tracker, epoch, run, startSeq, startIdx, markSeq, markIdx, closed from lanes")
	if err != nil {
		return fmt.Errorf("read lanes: %w", err)
	}
	return nil
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
	first := map[time.Time]bool{}
	for i := range b.Raw {
		if day := warehouse.Day(b.Raw[i].Timestamp); !c.counted[day] {
			first[day] = true
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

// changedLives finds the days in which a lane begins or ends.
func (c *dayCounts) changedLives(b *warehouse.Batch) error {
	type key struct {
		tracker, epoch string
		start          event.Position
	}
	closed := map[key]bool{}
	for _, l := range c.lives {
		closed[key{l.tracker, l.epoch, l.start}] = l.closed
	}
	for i := range b.Lanes {
		l := &b.Lanes[i]
		if l.Run != 0 {
			continue
		}
		k, err := key{l.Tracker, l.Epoch, l.Start}, error(nil)
		switch ended, found := closed[k]; {
		case !found:
			err = c.from(l.Epoch, l.Start)
		case l.Closed && !ended:
			err = c.from(l.Epoch, l.Watermark)
		}
		if err != nil {
			return err
		}
		closed[k] = l.Closed
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

// replayed finds the days in which an event of the batch may have outcomes of
// several runs: only the highest counts.
func (c *dayCounts) replayed(b *warehouse.Batch) error {
	for i := range b.Deliveries {
		if d := &b.Deliveries[i]; d.Run > 0 {
			c.replays[d.Tracker] = true
		}
	}
	if len(c.replays) == 0 {
		return nil
	}
	for i := range b.Deliveries {
		if d := &b.Deliveries[i]; c.replays[d.Tracker] {
			c.again(d.Day)
		}
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
	for i := range b.Deliveries {
		if d := &b.Deliveries[i]; replaced[d.Epoch] {
			c.again(d.Day)
		}
	}
	for epoch := range replaced {
		err := c.of(`r.epoch = $1 and (
			(r.seq, r.idx) in (select (seq, idx) from parked where epoch = $1)
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
	c.accepted(b)
	c.outcomes(b)
	if err := c.unnamed(); err != nil {
		return err
	}
	if err := c.lost(b); err != nil {
		return err
	}
	list := slices.Collect(maps.Keys(c.sums))
	err := c.tx.append("temp", "staged_sums", len(list), func(i int) []driver.Value {
		s := &list[i]
		return []driver.Value{s.day, s.source, s.event, s.tracker, s.outcome, s.reason, c.sums[*s]}
	})
	if err != nil || len(list) == 0 {
		return err
	}
	return c.tx.merge(nil, "staged_sums", mergeSums)
}

// count adds to the sums, unless the day is counted again, or left to Backfill.
func (c *dayCounts) count(s sum, n int64) {
	if c.counted[s.day] && !c.recount[s.day] {
		c.sums[s] += n
	}
}

func (c *dayCounts) accepted(b *warehouse.Batch) {
	for i := range b.Raw {
		r := &b.Raw[i]
		outcome := "accepted"
		if r.Duplicate {
			outcome = "duplicate"
		}
		day := warehouse.Day(r.Timestamp)
		for k := range c.lives {
			if l := &c.lives[k]; l.epoch == r.Receipt.Epoch && l.owns(r.Receipt.Position) {
				c.count(sum{day: day, source: r.Source, event: r.Event, tracker: l.tracker, outcome: outcome}, 1)
			}
		}
	}
}

func (c *dayCounts) outcomes(b *warehouse.Batch) {
	for i := range b.Deliveries {
		d := &b.Deliveries[i]
		if d.Source == "" || d.Run != 0 {
			continue
		}
		for k := range c.lives {
			if l := &c.lives[k]; l.tracker == d.Tracker && l.epoch == d.Epoch && l.owns(d.Position) {
				c.count(sum{d.Day, d.Source, d.Event, d.Tracker, d.Outcome.String(), sumReason(d.Reason)}, 1)
			}
		}
	}
}

// sumReason is Dialect.SumReason.
func sumReason(reason string) string {
	reason, _, _ = strings.Cut(reason, ":")
	runes := 0
	for i := range reason {
		if runes++; runes > longestReason {
			return reason[:i]
		}
	}
	return reason
}

// unnamed counts the outcomes that were joined with raw to know what they are of.
func (c *dayCounts) unnamed() error {
	_, err := scanAll(c.tx.ctx, c.tx.conn, c.scan, fmt.Sprintf(countUnnamed, Dialect{}.SumReason("r.reason")))
	if err != nil {
		return fmt.Errorf("count unnamed outcomes: %w", err)
	}
	return nil
}

// lost counts what browsers gave up before they could send it.
func (c *dayCounts) lost(b *warehouse.Batch) error {
	first := slices.IndexFunc(b.Raw, func(r warehouse.RawRow) bool { return r.Event == warehouse.LostEvent })
	if first < 0 {
		return nil
	}
	at, d := &b.Raw[first].Receipt, Dialect{}
	_, err := scanAll(c.tx.ctx, c.tx.conn, c.scan, warehouse.CountLostSQL(d,
		fmt.Sprintf("r.epoch = %s and (r.seq > %d or (r.seq = %d and r.idx >= %d))", d.Literal(at.Epoch), at.Seq, at.Seq, at.Index)))
	if err != nil {
		return fmt.Errorf("count lost events: %w", err)
	}
	return nil
}

// scan counts a row of the columns of sums.
func (c *dayCounts) scan(rows *sql.Rows) (s sum, err error) {
	var n int64
	err = rows.Scan(&s.day, &s.source, &s.event, &s.tracker, &s.outcome, &s.reason, &n)
	s.day = s.day.UTC()
	if err == nil {
		c.count(s, n)
	}
	return s, err
}

// from has the days counted again of the rows from a position on.
func (c *dayCounts) from(epoch string, p event.Position) error {
	return c.of("r.epoch = $1 and (r.seq > $2 or (r.seq = $2 and r.idx >= $3))", epoch, p.Seq, p.Index)
}

// of has the days counted again of the rows of a condition, unless they are left
// to Backfill.
func (c *dayCounts) of(condition string, args ...any) error {
	days, err := c.tx.days(condition, args...)
	for _, day := range days {
		c.again(day)
	}
	return err
}

func (c *dayCounts) again(day time.Time) {
	if c.counted[day] {
		c.recount[day] = true
	}
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
	// countUnnamed counts the staged outcomes of the lanes, as "outcomes" of
	// package warehouse counts those that are stored.
	countUnnamed = `select r.day, r.source, r.event, r.tracker, r.outcome, %s as reason, count(*)::bigint as n
		from staged_deliveries as r
		join lanes as l on l.run = 0 and l.epoch = r.epoch and l.tracker = r.tracker
			and (r.seq > l.startSeq or (r.seq = l.startSeq and r.idx >= l.startIdx))
			and (not l.closed or r.seq < l.markSeq or (r.seq = l.markSeq and r.idx < l.markIdx))
		where r.source is not null and r.run = 0
		group by all`
	mergeSums = `merge into sums as t using staged_sums as s
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
