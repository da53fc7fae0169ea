package bigquery

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// superseded is how long commits, states of lanes and sums are kept after newer
// ones replaced them: what asks about an earlier commit has its answer by then.
const superseded = 2 * time.Hour

// Expire deletes the rows of days before the given one, which costs nothing:
// they are whole partitions. BigQuery drops most of them by itself.
func (s *Store) Expire(ctx context.Context, before time.Time) error {
	day := warehouse.Day(before)
	for _, t := range tables {
		if t.keep {
			continue
		}
		condition := t.day + " < date(@day)"
		if t == rawTable || t == quarantineTable {
			condition = t.day + " < @day"
		}
		if _, err := s.client.read(ctx, "delete from "+s.client.named(t)+" where "+condition, map[string]any{"day": day}); err != nil {
			return fmt.Errorf("expire rows: %s: %w", t.name, err)
		}
	}
	return nil
}

// Compact implements warehouse.Compacter. It writes the sums of the days that
// commits have changed since the last time into sums_log, in one statement: all of
// them are stored, or none. Two processes that do it at once store sums that are
// both right, each up to its version. Then it deletes what newer rows of the logs
// have replaced; a commit only when its changes are in sums_log.
func (s *Store) Compact(ctx context.Context) error {
	c, d := s.client, s.client.dialect()
	var last *commit
	err := s.write(ctx, "compact logs", func() (err error) {
		last, err = s.newestCommit(ctx)
		return err
	})
	if err != nil || len(last.Positions) == 0 {
		return err
	}
	sums, commits, lanes := c.named(sumsTable), c.named(positionsTable), c.named(lanesTable)
	fold := fmt.Sprintf(`insert into %[1]s (day, source, event, tracker, outcome, reason, n, version, folded)
select day, source, event, tracker, outcome, reason, sum(s.n), %[2]d, current_timestamp()
from (%[3]s) as s
where day in (
  select cast(json_value(e, '$[0]') as date) from %[4]s as p, unnest(json_query_array(p.sums, '$')) as e
  where p.version <= %[2]d and p.version > (select coalesce(max(version), 0) from %[1]s)
)
group by day, source, event, tracker, outcome, reason`, sums, last.Version, d.sumRows("true", fmt.Sprintf("version <= %d", last.Version)), commits)
	if _, err := c.read(ctx, fold, nil); err != nil {
		return fmt.Errorf("fold sums: %w", err)
	}
	old := map[string]any{"old": time.Now().UTC().Add(-superseded)}
	for _, log := range [...]struct{ what, statement string }{
		{"sums", fmt.Sprintf(`delete from %[1]s where folded < @old
			and struct(day, version) not in (select struct(day, max(version)) from %[1]s group by day)`, sums)},
		{"commits", fmt.Sprintf(`delete from %[1]s where loaded < @old and version < (select max(version) from %[1]s)
			and (sums is null or version <= (select coalesce(max(version), 0) from %[2]s))`, commits, sums)},
		{"states of lanes", fmt.Sprintf(`delete from %[1]s where reported < @old
			and struct(tracker, epoch, run, startSeq, startIdx, reportEpoch, reportSeq) not in (
				select struct(tracker, epoch, run, startSeq, startIdx, reportEpoch, max(reportSeq)) from %[1]s where %[2]s
				group by tracker, epoch, run, startSeq, startIdx, reportEpoch)`, lanes, last.coversCheckpoint(d))},
	} {
		if _, err := c.read(ctx, log.statement, old); err != nil {
			return fmt.Errorf("delete old %s: %w", log.what, err)
		}
	}
	return nil
}

// coversCheckpoint is the condition that the commit covers the checkpoint of a row.
func (c *commit) coversCheckpoint(d Dialect) string {
	list := []string{"false"}
	for _, p := range c.Positions {
		if p.Stream == string(warehouse.OutcomesStream) {
			list = append(list, fmt.Sprintf("reportEpoch = %s and reportSeq < %d", d.Literal(p.Epoch), p.Seq))
		}
	}
	return strings.Join(list, " or ")
}

var _ warehouse.Compacter = (*Store)(nil)
