package gateway

import (
	"context"
	"fmt"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// ViewStatements is the SQL of the views that the plan asks for, in the SQL of a
// kind of warehouse; "" for the one that is configured.
func (s *Settings) ViewStatements(kind string) ([]string, error) {
	if kind == "" {
		kind = s.Config.Warehouse.Kind
	}
	d, err := s.dialect(kind)
	if err != nil {
		return nil, err
	}
	var statements []string
	for _, v := range warehouse.Views(d, viewColumns(s.Plan), int64(s.Config.Warehouse.Loader.Settle.Seconds())) {
		statements = append(statements, "create or replace view "+d.Table(v.Name)+" as\n"+v.Select)
	}
	return statements, nil
}

// dialect is the SQL of a kind of warehouse.
func (s *Settings) dialect(kind string) (warehouse.Dialect, error) {
	switch kind {
	case kindDuckDB:
		return duckdb.Dialect{}, nil
	case kindBigQuery:
		config := s.Config.Warehouse.BigQuery
		if config.Project == "" {
			return bigquery.Dialect{}, nil // of a file that stands for any dataset
		}
		return bigquery.Dialect{Project: config.Project, Dataset: config.Dataset}, nil
	default:
		return nil, fmt.Errorf("dialect %q is not known, use duckdb or bigquery", kind)
	}
}

// applyViews makes the views anew from the plan in force and says what that
// changed.
func (g *Gateway) applyViews(ctx context.Context, drop bool) (admin.ViewChange, error) {
	if g.store == nil {
		return admin.ViewChange{}, errNoWarehouse
	}
	store, err := g.store.get(ctx)
	if err != nil {
		return admin.ViewChange{}, err
	}
	before, err := g.columnNames(ctx, store)
	if err != nil {
		return admin.ViewChange{}, err
	}
	wanted := viewColumns(g.current.Load().Plan)
	if err := store.ApplyViews(ctx, wanted, drop); err != nil {
		return admin.ViewChange{}, err
	}
	after, err := g.columnNames(ctx, store)
	if err != nil {
		return admin.ViewChange{}, err
	}
	var change admin.ViewChange
	for _, name := range after {
		if !slices.Contains(before, name) {
			change.Added = append(change.Added, name)
		}
		if !slices.ContainsFunc(wanted, func(c warehouse.Column) bool { return c.Name == name }) {
			change.Kept = append(change.Kept, name)
		}
	}
	for _, name := range before {
		if !slices.Contains(after, name) {
			change.Dropped = append(change.Dropped, name)
		}
	}
	return change, nil
}

// columnNames are the columns that the view raw_normalized has for properties.
func (g *Gateway) columnNames(ctx context.Context, store warehouse.Warehouse) ([]string, error) {
	d, err := g.settings.dialect(g.settings.Config.Warehouse.Kind)
	if err != nil {
		return nil, err
	}
	result, err := store.Query(ctx, "select name from "+d.Table("columns")+" order by ordinal", warehouse.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read the views' columns: %w", err)
	}
	var names []string
	for _, row := range result.Rows {
		names = append(names, cell(row[0]))
	}
	return names, nil
}
