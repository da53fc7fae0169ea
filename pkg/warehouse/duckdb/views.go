//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// ApplyViews makes the views anew in one transaction, so that no query meets
// half of them.
func (f *file) ApplyViews(ctx context.Context, columns []warehouse.Column, drop bool) error {
	return f.write(ctx, "apply views", func(tx *transaction) error {
		earlier, err := readColumns(ctx, tx.conn)
		if err != nil {
			return err
		}
		merged, err := warehouse.MergeColumns(earlier, columns, drop)
		if err != nil {
			return err
		}
		if err := tx.alignEvents(earlier, merged); err != nil {
			return err
		}
		if err := tx.exec("delete from columns"); err != nil {
			return fmt.Errorf("replace columns: %w", err)
		}
		for i, c := range merged {
			err := tx.exec("insert into columns values ($1, $2, $3, $4, $5)", i, c.Name, c.Property, string(c.Type), c.Description)
			if err != nil {
				return fmt.Errorf("insert column: %w", err)
			}
		}
		tx.columns = &merged
		return f.makeViews(tx, merged)
	})
}

func readColumns(ctx context.Context, from querier) ([]warehouse.Column, error) {
	columns, err := scanAll(ctx, from, func(rows *sql.Rows) (c warehouse.Column, err error) {
		err = rows.Scan(&c.Name, &c.Property, (*string)(&c.Type), &c.Description)
		return c, err
	}, "select name, property, type, description from columns order by ordinal")
	if err != nil {
		return nil, fmt.Errorf("read columns: %w", err)
	}
	return columns, nil
}

func (f *file) makeViews(tx *transaction, columns []warehouse.Column) error {
	var d Dialect
	unfilled, err := tx.unfilled()
	if err != nil {
		return err
	}
	for _, view := range [...]warehouse.View{warehouse.NormalizedViewOf(d, columns, unfilled), warehouse.ReconciliationView(d, f.settle)} {
		name := d.Table(view.Name)
		if err := tx.exec("create or replace view " + name + " as " + view.Select); err != nil {
			return fmt.Errorf("make view %s: %w", view.Name, err)
		}
		if err := tx.exec("comment on view " + name + " is " + d.Literal(view.Description)); err != nil {
			return fmt.Errorf("describe view %s: %w", view.Name, err)
		}
		for _, c := range view.Columns {
			if err := tx.exec("comment on column " + name + "." + d.Quote(c.Name) + " is " + d.Literal(c.Description)); err != nil {
				return fmt.Errorf("describe column %s of %s: %w", c.Name, view.Name, err)
			}
		}
	}
	return nil
}
