package bigquery

import (
	"context"
	"fmt"
	"time"

	rest "cloud.google.com/go/bigquery"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// atOnce is how many tables are looked after at a time.
const atOnce = 4

// Prepare makes the dataset, tables, columns and views that are missing, and
// sets the expiry of partitions.
func (s *Store) Prepare(ctx context.Context) error {
	release, err := s.hold(ctx)
	if err != nil {
		return fmt.Errorf("prepare warehouse: %w", err)
	}
	defer release()
	s.prepared = false
	return s.prepare(ctx)
}

func (s *Store) prepare(ctx context.Context) error {
	if err := s.prepareDataset(ctx); err != nil {
		return fmt.Errorf("prepare warehouse: %w", judged(err))
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
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
	if err := s.prepareViews(ctx); err != nil {
		return fmt.Errorf("prepare views: %w", judged(err))
	}
	s.prepared = true
	return nil
}

// bounded is ctx for one call, or a few that belong together: the REST client
// tries again in silence for as long as it may.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.config.Timeout)
}

func (s *Store) prepareDataset(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_, err := s.dataset().Metadata(ctx)
	if kind(err) != codes.NotFound {
		return err
	}
	err = s.dataset().Create(ctx, &rest.DatasetMetadata{
		Location: s.config.Location, Description: "Sparrow: raw events, what became of each, and the views over them.",
	})
	if kind(err) == codes.AlreadyExists {
		return nil // another process was faster
	}
	return err
}

func (s *Store) prepareTable(ctx context.Context, t *table) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	there, err := s.dataset().Table(t.name).Metadata(ctx)
	if kind(err) == codes.NotFound {
		err = s.dataset().Table(t.name).Create(ctx, s.metadata(t))
		if kind(err) != codes.AlreadyExists {
			return err
		}
		there, err = s.dataset().Table(t.name).Metadata(ctx)
	}
	if err != nil {
		return err
	}
	return s.amendTable(ctx, t, there)
}

func (s *Store) metadata(t *table) *rest.TableMetadata {
	m := &rest.TableMetadata{
		Description: t.description, Schema: t.schema(),
		TimePartitioning: &rest.TimePartitioning{Type: rest.DayPartitioningType, Field: t.day, Expiration: s.expiry(t)},
	}
	if len(t.cluster) > 0 {
		m.Clustering = &rest.Clustering{Fields: t.cluster}
	}
	return m
}

// expiry is how long a partition is kept, counted from its day's start, so that
// the last of its rows are kept for the retention.
func (s *Store) expiry(t *table) time.Duration {
	if t.keep || s.retention == 0 {
		return 0
	}
	return s.retention + 24*time.Hour
}

// amendTable adds columns that came with a newer release, and sets the expiry.
// It changes and removes nothing else, so that releases may run side by side.
func (s *Store) amendTable(ctx context.Context, t *table, there *rest.TableMetadata) error {
	var update rest.TableMetadataToUpdate
	change := false
	schema := there.Schema
	for _, c := range t.columns {
		if !c.in(there.Schema) {
			schema = append(schema, c.field())
			update.Schema, change = schema, true
		}
	}
	if p := there.TimePartitioning; p != nil && p.Expiration != s.expiry(t) {
		partitioning := *p
		partitioning.Expiration = s.expiry(t)
		update.TimePartitioning, change = &partitioning, true
	}
	if !change {
		return nil
	}
	_, err := s.dataset().Table(t.name).Update(ctx, update, there.ETag)
	return err
}

// prepareViews makes the views over the logs, and those over raw with the
// columns known so far.
func (s *Store) prepareViews(ctx context.Context) error {
	columns, _, err := s.readColumns(ctx)
	if err != nil {
		return err
	}
	return s.makeViews(ctx, columns)
}

func (s *Store) makeViews(ctx context.Context, columns []warehouse.Column) error {
	d := s.dialect()
	// In their order: later ones read earlier ones.
	for _, view := range append(d.logViews(), warehouse.Views(d, columns, s.settle)...) {
		if err := s.makeView(ctx, view); err != nil {
			return err
		}
	}
	return nil
}

// makeView makes a view, or replaces one that selects something else, and
// describes its columns, whose types only BigQuery knows.
func (s *Store) makeView(ctx context.Context, view warehouse.View) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	handle := s.dataset().Table(view.Name)
	there, err := handle.Metadata(ctx)
	if err == nil && there.ViewQuery == view.Select {
		return nil
	}
	if err == nil {
		there, err = s.changeView(ctx, handle, view)
	} else if kind(err) == codes.NotFound {
		if err = handle.Create(ctx, &rest.TableMetadata{ViewQuery: view.Select, Description: view.Description}); err == nil {
			there, err = handle.Metadata(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("make view %s: %w", view.Name, judged(err))
	}
	if err := s.describe(ctx, handle, view, there.Schema); err != nil {
		return fmt.Errorf("describe view %s: %w", view.Name, judged(err))
	}
	return nil
}

// changeView has a view select something else. An emulator keeps selecting what
// it did until the view is made anew.
func (s *Store) changeView(ctx context.Context, handle *rest.Table, view warehouse.View) (*rest.TableMetadata, error) {
	if !s.config.Insecure {
		return handle.Update(ctx, rest.TableMetadataToUpdate{ViewQuery: view.Select, Description: view.Description}, "")
	}
	if err := handle.Delete(ctx); err != nil {
		return nil, err
	}
	if err := handle.Create(ctx, &rest.TableMetadata{ViewQuery: view.Select, Description: view.Description}); err != nil {
		return nil, err
	}
	return handle.Metadata(ctx)
}

func (s *Store) describe(ctx context.Context, handle *rest.Table, view warehouse.View, there rest.Schema) error {
	wanted := map[string]string{}
	for _, c := range view.Columns {
		wanted[c.Name] = cut(c.Description)
	}
	schema := make(rest.Schema, len(there))
	for i, f := range there {
		described := *f
		if text := wanted[f.Name]; text != "" {
			described.Description = text
		}
		schema[i] = &described
	}
	_, err := handle.Update(ctx, rest.TableMetadataToUpdate{Schema: schema}, "")
	return err
}

// longestDescription is BigQuery's limit, in characters.
const longestDescription = 1024

func cut(s string) string {
	if runes := []rune(s); len(runes) > longestDescription {
		return string(runes[:longestDescription])
	}
	return s
}
