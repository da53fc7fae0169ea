//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// querier is a connection, or the pool of them.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Prepare makes the tables and, with the columns known so far, the views.
func (f *file) Prepare(ctx context.Context) error {
	if f.config.ReadOnly {
		return nil
	}
	return f.write(ctx, "prepare warehouse", func(tx *transaction) error {
		columns, err := readColumns(ctx, tx.conn)
		if err != nil {
			return err
		}
		if err := tx.alignEvents(columns, columns); err != nil {
			return err
		}
		tx.columns = &columns
		return f.makeViews(tx, columns)
	})
}

// Marks reads the positions table.
func (f *file) Positions(ctx context.Context) (marks []warehouse.StreamPosition, err error) {
	err = f.use(func(db *sql.DB) error {
		marks, err = readPositions(ctx, db)
		return err
	})
	return marks, err
}

func readPositions(ctx context.Context, from querier) ([]warehouse.StreamPosition, error) {
	marks, err := scanAll(ctx, from, func(rows *sql.Rows) (m warehouse.StreamPosition, err error) {
		err = rows.Scan((*string)(&m.Stream), &m.Epoch, &m.Next.Seq, &m.Next.Index, &m.Loaded)
		return m, err
	}, "select stream, epoch, seq, idx, loaded from positions")
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return marks, nil
}

// Names reads the names table.
func (f *file) Names(ctx context.Context, day time.Time, source string) (names []string, err error) {
	err = f.use(func(db *sql.DB) error {
		names, err = scanAll(ctx, db, func(rows *sql.Rows) (name string, err error) {
			err = rows.Scan(&name)
			return name, err
		}, "select event from names where day = $1 and source = $2", day.UTC(), source)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	return names, nil
}

// SavePlan keeps the text of a plan's version.
func (f *file) SavePlan(ctx context.Context, version, text string) error {
	return f.write(ctx, "save plan", func(tx *transaction) error {
		return tx.exec("insert into plans select $1, $2, $3 where not exists (select 1 from plans where version = $1)", version, text, now())
	})
}

// Expire deletes the rows of days before the given one.
func (f *file) Expire(ctx context.Context, before time.Time) error {
	day := warehouse.Day(before)
	return f.write(ctx, "expire rows", func(tx *transaction) error {
		for _, table := range [...]string{"raw", "events", "deliveries", "filtered", "leaks", "names", "sums", "counted_days"} {
			if err := tx.exec("delete from "+table+" where day < $1", day); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		if err := tx.exec(`delete from quarantine where "timestamp" < $1`, day); err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
		return nil
	})
}

// scanAll reads every row of a query.
func scanAll[T any](ctx context.Context, from querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
