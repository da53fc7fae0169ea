package bigquery

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	rest "cloud.google.com/go/bigquery"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// schema keeps the dataset's tables and views as this release needs them. Its
// methods are called one at a time.
type schema struct {
	*client
	settle    time.Duration
	retention time.Duration
	prepared  bool // nothing has shown since the last prepare that a table changed
	// sumsMade says that sums_log was missing: what earlier commits put there is lost.
	sumsMade atomic.Bool
}

// tablesAtOnce is how many tables are prepared at once.
const tablesAtOnce = 4

// ensure prepares the dataset unless it is prepared.
func (s *schema) ensure(ctx context.Context) error {
	if s.prepared {
		return nil
	}
	return s.prepare(ctx)
}

func (s *schema) prepare(ctx context.Context) error {
	s.prepared = false
	if err := s.createDataset(ctx); err != nil {
		return fmt.Errorf("create dataset: %w", judged(err))
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(tablesAtOnce)
	for _, t := range tables {
		group.Go(func() error {
			if err := s.prepareTable(within, t); err != nil {
				return fmt.Errorf("prepare table %s: %w", t.name, judged(err))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	columns, _, err := s.readColumns(ctx)
	if err == nil {
		err = s.makeViews(ctx, columns)
	}
	if err != nil {
		return fmt.Errorf("prepare views: %w", judged(err))
	}
	s.prepared = true
	return nil
}

func (s *schema) prepareTable(ctx context.Context, t *table) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	current, err := s.table(t).Metadata(ctx)
	if kind(err) == codes.NotFound {
		err = s.table(t).Create(ctx, t.metadata(s.expiry(t)))
		if err == nil && t == sumsTable {
			s.sumsMade.Store(true)
		}
		if kind(err) != codes.AlreadyExists {
			return err
		}
		current, err = s.table(t).Metadata(ctx)
	}
	if err != nil {
		return err
	}
	return s.amendTable(ctx, t, current)
}

// expiry is how long a partition is kept. BigQuery counts from the start of the
// partition's day; the extra day keeps its last rows for the whole retention.
func (s *schema) expiry(t *table) time.Duration {
	if t.keep || s.retention == 0 {
		return 0
	}
	return s.retention + 24*time.Hour
}

// amendTable adds the columns of newer releases, and sets the expiry. It changes
// and removes nothing else, so that two releases can run side by side.
func (s *schema) amendTable(ctx context.Context, t *table, current *rest.TableMetadata) error {
	var update rest.TableMetadataToUpdate
	change := false
	columns := current.Schema
	for _, c := range t.columns {
		if !c.in(current.Schema) {
			columns = append(columns, c.field())
			update.Schema, change = columns, true
		}
	}
	if p := current.TimePartitioning; p != nil && p.Expiration != s.expiry(t) {
		partitioning := *p
		partitioning.Expiration = s.expiry(t)
		update.TimePartitioning, change = &partitioning, true
	}
	if !change {
		return nil
	}
	_, err := s.table(t).Update(ctx, update, current.ETag)
	return err
}

// makeViews creates the views over the logs, and those over raw with these
// columns. Later views read earlier ones.
func (s *schema) makeViews(ctx context.Context, columns []warehouse.Column) error {
	d := s.dialect()
	for _, view := range append(d.logViews(), warehouse.Views(d, columns, int64(s.settle.Seconds()))...) {
		if err := s.makeView(ctx, view); err != nil {
			return fmt.Errorf("make view %s: %w", view.Name, judged(err))
		}
	}
	return nil
}

// makeView creates a view, or replaces its query. Then it describes the view's
// columns: only BigQuery knows their types, so they are read back first.
func (s *schema) makeView(ctx context.Context, view warehouse.View) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	handle := s.dataset().Table(view.Name)
	current, err := handle.Metadata(ctx)
	switch {
	case err == nil && current.ViewQuery == view.Select:
		return nil
	case err == nil:
		current, err = handle.Update(ctx, rest.TableMetadataToUpdate{ViewQuery: view.Select, Description: view.Description}, "")
	case kind(err) == codes.NotFound:
		if err = handle.Create(ctx, &rest.TableMetadata{ViewQuery: view.Select, Description: view.Description}); err == nil {
			current, err = handle.Metadata(ctx)
		}
	}
	if err != nil {
		return err
	}
	descriptions := map[string]string{}
	for _, c := range view.Columns {
		descriptions[c.Name] = shortDescription(c.Description)
	}
	for _, f := range current.Schema {
		if text := descriptions[f.Name]; text != "" {
			f.Description = text
		}
	}
	_, err = handle.Update(ctx, rest.TableMetadataToUpdate{Schema: current.Schema}, "")
	return err
}

// longestDescription is BigQuery's limit of a column's description, in
// characters ("Quotas and limits"), not bytes.
const longestDescription = 1024

func shortDescription(s string) string {
	if runes := []rune(s); len(runes) > longestDescription {
		return string(runes[:longestDescription])
	}
	return s
}
