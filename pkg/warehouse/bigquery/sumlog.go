package bigquery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// sumRows are rows that add up to the sums, of the days d and commits up to the
// version v that the conditions are about: the newest sums of each day in sums_log,
// and what later commits add to them.
func (d Dialect) sumRows(days, versions string) string {
	return fmt.Sprintf(`select day, source, event, tracker, outcome, reason, n
  from (
    select *, max(if(folded, version, 0)) over (partition by day) as base
    from (
      select distinct day, source, event, tracker, outcome, reason, n, version, true as folded from %s
      union all
      select cast(json_value(e, '$[0]') as date) as day, json_value(e, '$[1]') as source, json_value(e, '$[2]') as event, json_value(e, '$[3]') as tracker,
        json_value(e, '$[4]') as outcome, json_value(e, '$[5]') as reason, cast(json_value(e, '$[6]') as int64) as n, p.version, false as folded
      from %s as p, unnest(json_query_array(p.sums, '$')) as e
    ) as r
    where %s and %s
  ) as r
  where if(folded, version = base, version > base)`, d.Table(sumsTable.name), d.Table(positionsTable.name), days, versions)
}

// counting is the SQL of what one commit covers of a day, whichever is the newest.
type counting struct {
	Dialect
	at  *commit
	day time.Time
}

// Table is the table, or what its view shows at the commit.
func (c counting) Table(name string) string {
	positions := c.positions()
	switch name {
	case "positions":
		return positions
	case "lanes":
		return "(" + lanesOf(c.newestLaneStates(positions)) + ")"
	case "parked":
		return "(" + parkedOf(c.newestLaneStates(positions)) + ")"
	case "gaps":
		return "(" + c.gapsOf(positions) + ")"
	default:
		return c.Dialect.Table(name)
	}
}

// positions are the commit's, as a table of constants.
func (c counting) positions() string {
	var rows []string
	for _, p := range c.at.Positions {
		rows = append(rows, fmt.Sprintf("struct(%s as stream, %s as epoch, %d as seq, %d as idx, cast(%s as timestamp) as loaded)",
			c.Literal(p.Stream), c.Literal(p.Epoch), p.Seq, p.Index, c.Literal(p.Loaded)))
	}
	return "(select * from unnest([" + strings.Join(rows, ", ") + "]))"
}

// Days are the rows of the day that the commit covers. Rows of an epoch that
// another has replaced are all covered.
func (c counting) Days(name string) string {
	from, to := c.Literal(c.day.Format(time.DateOnly)), c.Literal(c.day.AddDate(0, 0, 1).Format(time.DateOnly))
	if name == rawTable.name {
		covered := c.covered(warehouse.EventsStream, "epoch", c.at.Events, func(p position) string {
			return fmt.Sprintf(" and (seq < %[1]d or (seq = %[1]d and idx < %[2]d))", p.Seq, p.Index)
		})
		column := c.Quote(rawTable.day)
		return fmt.Sprintf("(select * except (day), date(%[1]s) as day from %[2]s where %[1]s >= timestamp(%[3]s) and %[1]s < timestamp(%[4]s) and (%[5]s))",
			column, c.Dialect.Table(name), from, to, covered)
	}
	covered := c.covered(warehouse.OutcomesStream, "reportEpoch", c.at.Outcomes, func(p position) string {
		return fmt.Sprintf(" and reportSeq < %d", p.Seq)
	})
	return fmt.Sprintf("(select * from %s where day = date(%s) and (%s))", c.Dialect.Table(name), from, covered)
}

// covered is the condition on a row's epoch and, in the epoch that is loaded, on
// its place.
func (c counting) covered(stream warehouse.Stream, column, loaded string, before func(position) string) string {
	list := []string{"false"}
	for _, p := range c.at.Positions {
		if p.Stream != string(stream) {
			continue
		}
		condition := column + " = " + c.Literal(p.Epoch)
		if p.Epoch == loaded {
			condition += before(p)
		}
		list = append(list, condition)
	}
	return strings.Join(list, " or ")
}

// CountedDeliveries is that of Dialect over Days.
func (c counting) CountedDeliveries() string { return countedDeliveries(c) }

// differences asks where the sums of a day, as the commits up to kept say, differ
// from the rows that the commit at covers. What browsers lost is left out unless
// all is set: it is the only part that reads the column data, and never has to be
// counted again.
func (c *client) differences(ctx context.Context, day time.Time, kept int64, at *commit, all bool) ([]warehouse.SumDifference, error) {
	if len(at.Positions) == 0 {
		return nil, nil
	}
	rows, err := c.readSlow(ctx, c.differencesSQL(day, kept, at, all))
	if err != nil {
		return nil, fmt.Errorf("count %s: %w", day.Format(time.DateOnly), err)
	}
	list := make([]warehouse.SumDifference, len(rows))
	for i, row := range rows {
		list[i] = warehouse.SumDifference{
			Day: day, Source: as[string](row[0]), Event: as[string](row[1]), Tracker: as[string](row[2]), Outcome: as[string](row[3]), Reason: as[string](row[4]),
			Kept: as[int64](row[5]), Counted: as[int64](row[6]),
		}
	}
	return list, nil
}

func (c *client) differencesSQL(day time.Time, kept int64, at *commit, all bool) string {
	literal := "date '" + day.Format(time.DateOnly) + "'"
	sums, count := "day = "+literal+" and outcome <> '"+firstOutcome+"'", warehouse.CountSQL
	if !all {
		sums, count = sums+" and outcome <> 'lost'", warehouse.CountLanesSQL
	}
	return fmt.Sprintf(`select source, event, tracker, outcome, reason, cast(sum(part.kept) as int64) as kept, cast(sum(part.counted) as int64) as counted
from (
  select source, event, tracker, outcome, reason, n as kept, 0 as counted from (%s)
  union all
  select source, event, tracker, outcome, reason, 0 as kept, n as counted from (%s)
) as part
group by source, event, tracker, outcome, reason
having sum(part.kept) <> sum(part.counted)
order by source, event, tracker, outcome, reason`,
		c.dialect().sumRows(sums, fmt.Sprintf("version <= %d", kept)),
		count(counting{c.dialect(), at, day}, "r.day = "+literal))
}

// addSums completes the commit of a batch by what the batch does to the sums.
func (w *writer) addSums(ctx context.Context, next *commit, b *warehouse.Batch) error {
	s := sumsOf(w.last, b)
	next.Sums = s.state
	for r := range s.ranges {
		days, err := w.commits.daysOf(ctx, r)
		if err != nil {
			return fmt.Errorf("keep sums: %w", err)
		}
		for _, day := range days {
			s.recount(day)
		}
	}
	s.add()
	counting, cancel := w.commits.bounded(ctx) // for all of them: loading waits no longer
	defer cancel()
	for _, day := range s.again.days() {
		list, err := w.commits.differences(counting, day, w.last.Version, next, false)
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("keep sums: %w", err)
			}
			w.log.Warn("a day's sums are counted again later", "day", day.Format(time.DateOnly), "err", err)
			s.state.uncount(day)
			continue
		}
		for _, d := range list {
			s.rows[sum{d.Day, d.Source, d.Event, d.Tracker, d.Outcome, d.Reason}] += d.Counted - d.Kept
		}
	}
	next.Changes = s.encoded()
	return nil
}

// daysOf are the days of the stored rows in a range.
func (c *client) daysOf(ctx context.Context, r positionRange) ([]time.Time, error) {
	end := int64(1) << 62
	if r.to.Seq != 0 {
		end = int64(r.to.Seq)
	}
	rows, err := c.read(ctx, `select distinct date(timestamp) from `+c.named(rawTable)+`
		where epoch = @epoch and (seq > @seq or (seq = @seq and idx >= @idx)) and (seq < @endSeq or (seq = @endSeq and idx < @endIdx)) and timestamp >= @since`,
		map[string]any{
			"epoch": r.epoch, "seq": int64(r.from.Seq), "idx": int64(r.from.Index), "endSeq": end, "endIdx": int64(r.to.Index),
			"since": time.Now().UTC().Add(-lookBack),
		})
	if err != nil {
		return nil, judged(err)
	}
	days := make([]time.Time, len(rows))
	for i, row := range rows {
		days[i] = asDay(row[0])
	}
	return days, nil
}

// withSums is the commit with a state of the sums, if it has none: of a new
// dataset, of one that an earlier release loaded, or of one whose sums were lost.
// The sums of the two newest days are then counted by Backfill, older ones by a
// command: that costs money.
func (c *client) withSums(ctx context.Context, last *commit, lost bool) (*commit, error) {
	if last.Sums != nil && !lost {
		return last, nil
	}
	next := *last
	next.Sums = &sumState{Counted: daySet{}, Uncounted: daySet{}}
	if len(last.Positions) == 0 {
		return &next, nil
	}
	rows, err := c.read(ctx, "select max(timestamp) from "+c.named(rawTable)+" where timestamp >= @since", map[string]any{"since": time.Now().UTC().Add(-lookBack)})
	if err != nil {
		return nil, fmt.Errorf("find newest day: %w", judged(err))
	}
	newest := warehouse.Day(time.Now())
	if at := as[time.Time](rows[0][0]); !at.IsZero() {
		newest = warehouse.Day(at)
	}
	next.Sums.Since = newest.AddDate(0, 0, 1).Format(time.DateOnly)
	next.Sums.Uncounted[newest], next.Sums.Uncounted[newest.AddDate(0, 0, -1)] = true, true
	if next.Sums.Lives, err = c.readLives(ctx); err != nil {
		return nil, fmt.Errorf("find lanes: %w", judged(err))
	}
	return &next, nil
}

// readLives reads the lanes' lives from lanes_log.
func (c *client) readLives(ctx context.Context) (lives []life, err error) {
	rows, err := c.read(ctx, `select tracker, epoch, startSeq, startIdx, markSeq, markIdx, closed, parked from `+c.named(lanesTable)+` where run = 0
		qualify row_number() over (partition by tracker, epoch, startSeq, startIdx order by reported desc, reportSeq desc) = 1`, nil)
	for _, row := range rows {
		l := life{Tracker: as[string](row[0]), Epoch: as[string](row[1]), Closed: as[bool](row[6])}
		l.Start.Seq, l.Start.Index = uint64(as[int64](row[2])), uint32(as[int64](row[3]))
		l.Mark.Seq, l.Mark.Index = uint64(as[int64](row[4])), uint32(as[int64](row[5]))
		l.Waits = firstWaiting(l.Mark, as[string](row[7]))
		lives = append(lives, l)
	}
	return lives, err
}

// Backfill implements warehouse.Backfiller: it counts one day of those that are
// left to it.
func (s *Store) Backfill(ctx context.Context) (done warehouse.BackfillProgress, err error) {
	err = s.write(ctx, "backfill", func() error {
		last, err := s.newestCommit(ctx)
		if err != nil || last.Sums == nil || len(last.Sums.Uncounted) == 0 {
			return err
		}
		days := last.Sums.Uncounted.days()
		slices.Reverse(days)
		done.Left = int64(len(days) - 1)
		err = s.countDay(ctx, days[0])
		if hasReason(err, "bytesBilledLimitExceeded") {
			s.log.Warn("a day's sums are not counted: it would read more than warehouse.maxBilled; raise that and run sparrow warehouse count",
				"day", days[0].Format(time.DateOnly), "err", err)
			return s.giveUp(ctx, days[0])
		}
		return err
	})
	return done, err
}

// giveUp leaves a day to the command.
func (s *Store) giveUp(ctx context.Context, day time.Time) error {
	next := *s.writer.last
	next.Sums = next.Sums.clone()
	delete(next.Sums.Uncounted, day)
	err := s.writer.commit(ctx, &next)
	if err != nil {
		s.failed(err)
	}
	return err
}

// newestCommit is the writer's, or the newest in the log.
func (s *Store) newestCommit(ctx context.Context) (*commit, error) {
	if s.writer != nil {
		return s.writer.last, nil
	}
	return s.commits.newest(ctx)
}

// countDay counts a day from its rows and keeps its sums from then on.
func (s *Store) countDay(ctx context.Context, day time.Time) error {
	if err := s.openWriter(ctx); err != nil {
		return err
	}
	w := s.writer
	list, err := s.client.differences(ctx, day, w.last.Version, w.last, true)
	if err != nil {
		return err
	}
	next := *w.last
	next.Sums = next.Sums.clone()
	rows := sumRows{}
	for i, d := range list {
		if i == mostDifferences {
			break
		}
		rows[sum{d.Day, d.Source, d.Event, d.Tracker, d.Outcome, d.Reason}] = d.Counted - d.Kept
	}
	if len(list) <= mostDifferences {
		delete(next.Sums.Uncounted, day)
		next.Sums.Counted[day] = true
	}
	if len(rows) > 0 {
		encoded, err := rows.MarshalJSON()
		if err != nil {
			return fmt.Errorf("encode sums: %w", err)
		}
		next.Changes = string(encoded)
	}
	if err := w.commit(ctx, &next); err != nil {
		s.failed(err)
		return err
	}
	s.log.Info("sums of a day counted from its rows", "day", day.Format(time.DateOnly), "sums", len(list))
	return nil
}

// UncountedDays implements warehouse.DayCounter. BigQuery says by dry runs, which
// cost nothing, what counting would read. To find the days it reads eight bytes an
// event.
func (s *Store) UncountedDays(ctx context.Context, since time.Time) (list []warehouse.UncountedDay, err error) {
	var last *commit
	err = s.write(ctx, "find days without sums", func() (err error) {
		last, err = s.newestCommit(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, err := s.client.read(ctx, "select distinct date(timestamp) as day from "+s.client.named(rawTable)+" where timestamp >= @since order by day",
		map[string]any{"since": warehouse.Day(since)})
	if err != nil {
		return nil, fmt.Errorf("find days without sums: %w", err)
	}
	for _, row := range rows {
		day := asDay(row[0])
		if last.Sums != nil && last.Sums.Counted[day] {
			continue
		}
		bytes, err := s.client.cost(ctx, s.client.differencesSQL(day, last.Version, last, true))
		if err != nil {
			return nil, fmt.Errorf("ask what counting %s would read: %w", day.Format(time.DateOnly), judged(err))
		}
		list = append(list, warehouse.UncountedDay{Day: day, Bytes: bytes})
	}
	return list, nil
}

// CountDay implements warehouse.DayCounter. Loading waits meanwhile.
func (s *Store) CountDay(ctx context.Context, day time.Time) error {
	return s.write(ctx, "count day", func() error { return s.countDay(ctx, warehouse.Day(day)) })
}

// mostDifferences bounds how many sums of a day are stored in one commit: with the
// longest texts they fit. The rest comes with the next piece.
const mostDifferences = 5_000

// SumDays implements warehouse.SumKeeper.
func (s *Store) SumDays(ctx context.Context) (days []time.Time, err error) {
	err = s.write(ctx, "read days with sums", func() error {
		last, err := s.newestCommit(ctx)
		if err == nil && last.Sums != nil {
			days = last.Sums.Counted.days()
		}
		return err
	})
	if s.schema.retention > 0 {
		oldest := warehouse.Day(time.Now().Add(-s.schema.retention))
		days = slices.DeleteFunc(days, func(day time.Time) bool { return day.Before(oldest) })
	}
	return days, err
}

// VerifySums implements warehouse.SumKeeper. The query is about what the newest
// commit covers, so that loading goes on meanwhile.
func (s *Store) VerifySums(ctx context.Context, day time.Time) (list []warehouse.SumDifference, err error) {
	var last *commit
	err = s.write(ctx, "verify sums", func() (err error) {
		last, err = s.newestCommit(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if list, err = s.client.differences(ctx, day, last.Version, last, true); err != nil {
		return nil, fmt.Errorf("verify sums: %w", judged(err))
	}
	return list, nil
}

// DayOf implements warehouse.DayFinder.
func (s *Store) DayOf(ctx context.Context, receipt event.Receipt) (time.Time, error) {
	rows, err := s.client.read(ctx, fmt.Sprintf("select max(day) from (%s) as s where n <= @seq",
		s.client.dialect().sumRows("outcome = '"+firstOutcome+"' and source = @epoch", "true")),
		map[string]any{"epoch": receipt.Epoch, "seq": int64(receipt.Seq)})
	if err != nil {
		return time.Time{}, fmt.Errorf("find day of receipt: %w", err)
	}
	return asDay(rows[0][0]), nil
}

// countTimeout bounds counting a day.
const countTimeout = 10 * time.Minute

var (
	_ warehouse.SumKeeper  = (*Store)(nil)
	_ warehouse.Backfiller = (*Store)(nil)
	_ warehouse.DayFinder  = (*Store)(nil)
	_ warehouse.DayCounter = (*Store)(nil)
)
