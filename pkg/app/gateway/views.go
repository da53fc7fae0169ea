package gateway

import (
	"context"
	"fmt"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// ApplyViews implements admin.Operations.
func (o operations) ApplyViews(ctx context.Context, drop bool) (admin.ViewChange, error) {
	l, err := o.lookup(ctx)
	if err != nil {
		return admin.ViewChange{}, err
	}
	before, err := l.columnNames(ctx)
	if err != nil {
		return admin.ViewChange{}, err
	}
	wanted := config.ViewColumns(l.settings.Plan)
	if err := l.store.ApplyViews(ctx, wanted, drop); err != nil {
		return admin.ViewChange{}, err
	}
	after, err := l.columnNames(ctx)
	if err != nil {
		return admin.ViewChange{}, err
	}
	var planned []string
	for _, c := range wanted {
		planned = append(planned, c.Name)
	}
	return admin.ViewChange{Added: without(after, before), Dropped: without(before, after), Kept: without(after, planned)}, nil
}

// without are the names that are not among the others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// columnNames are the columns that the view raw_normalized has for properties.
func (l lookup) columnNames(ctx context.Context) ([]string, error) {
	d, err := l.settings.Dialect(l.settings.Config.Warehouse.Kind)
	if err != nil {
		return nil, err
	}
	result, err := l.store.Query(ctx, "select name from "+d.Table("columns")+" order by ordinal", warehouse.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read the views' columns: %w", err)
	}
	var names []string
	for _, row := range result.Rows {
		names = append(names, cell(row[0]))
	}
	return names, nil
}
