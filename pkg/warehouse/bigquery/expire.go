package bigquery

import (
	"context"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// superseded is how long commits and states of lanes are kept after newer ones
// replaced them.
const superseded = 48 * time.Hour

// Expire deletes the rows of days before the given one, which costs nothing:
// they are whole partitions. BigQuery drops most of them by itself. It also
// deletes what newer rows of the logs have replaced.
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
	old := map[string]any{"old": time.Now().UTC().Add(-superseded)}
	commits := s.client.named(positionsTable)
	if _, err := s.client.read(ctx, fmt.Sprintf("delete from %[1]s where loaded < @old and version < (select max(version) from %[1]s)", commits), old); err != nil {
		return fmt.Errorf("delete old commits: %w", err)
	}
	lanes := s.client.named(lanesTable)
	if _, err := s.client.read(ctx, fmt.Sprintf(`delete from %[1]s where reported < @old
		and struct(tracker, epoch, run, startSeq, startIdx, reportEpoch, reportSeq) not in (
			select struct(tracker, epoch, run, startSeq, startIdx, reportEpoch, max(reportSeq)) from %[1]s
			group by tracker, epoch, run, startSeq, startIdx, reportEpoch)`, lanes), old); err != nil {
		return fmt.Errorf("delete old states of lanes: %w", err)
	}
	return nil
}
