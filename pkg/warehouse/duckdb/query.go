//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Query runs one SELECT in a transaction that cannot write.
func (f *file) Query(ctx context.Context, query string, limits warehouse.Limits, args ...any) (*warehouse.Result, error) {
	limits = limits.WithDefaults()
	if limits.Memory <= 0 {
		limits.Memory = f.config.Memory / 2
	}
	late := fmt.Errorf("%w: it took longer than %s: ask for less, for instance fewer days", warehouse.ErrLimit, limits.Time)
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Time, late)
	defer cancel()
	ctx, stop := f.untilClosed(ctx)
	defer stop()
	select {
	case f.queries <- struct{}{}:
		defer func() { <-f.queries }()
	case <-ctx.Done():
		return nil, fmt.Errorf("query warehouse: wait for other queries: %w", context.Cause(ctx))
	}
	var result *warehouse.Result
	err := f.use(func(db *sql.DB) error {
		text, err := selection(ctx, db, query)
		if err != nil {
			return err
		}
		ctx, release := watchMemory(ctx, db, limits.Memory)
		defer release()
		if result, err = run(ctx, db, text, limits, args); err != nil {
			return queryError(ctx, err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("query warehouse: %w", err)
	}
	return result, nil
}

// queryError says which limit a query met; anything else it is told is the
// query's own fault, and will be again.
func queryError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if strings.Contains(err.Error(), "Out of Memory") {
		return fmt.Errorf("%w: the warehouse ran out of memory: ask for less, for instance fewer days", warehouse.ErrLimit)
	}
	return fault.Permanent(err)
}

// run runs a parsed query.
func run(ctx context.Context, db *sql.DB, text string, limits warehouse.Limits, args []any) (_ *warehouse.Result, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "begin transaction read only"); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "rollback")
		err = errors.Join(err, undo)
	}()
	columns, err := describe(ctx, conn, text, args)
	if err != nil {
		return nil, err
	}
	rows, err := conn.QueryContext(ctx, asText(text, columns, limits.Rows+1), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return collect(rows, columns, limits)
}

// describe returns a query's columns without running it.
func describe(ctx context.Context, conn *sql.Conn, text string, args []any) ([]warehouse.ResultColumn, error) {
	return scanAll(ctx, conn, func(rows *sql.Rows) (c warehouse.ResultColumn, err error) {
		var rest [4]any
		err = rows.Scan(&c.Name, &c.Type, &rest[0], &rest[1], &rest[2], &rest[3])
		return c, err
	}, "describe "+text, args...)
}

// asText casts every column of a query to text in the warehouse: only there are
// numbers and JSON exact, whatever the driver makes of them.
func asText(text string, columns []warehouse.ResultColumn, limit int) string {
	names, casts := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		casts[i] = fmt.Sprintf("cast(c%d as varchar)", i)
		if c.Type == "BLOB" {
			casts[i] = fmt.Sprintf("to_base64(c%d)", i)
		}
	}
	return fmt.Sprintf("select %s from (%s) as q(%s) limit %d", strings.Join(casts, ", "), text, strings.Join(names, ", "), limit)
}

func collect(rows *sql.Rows, columns []warehouse.ResultColumn, limits warehouse.Limits) (*warehouse.Result, error) {
	result := &warehouse.Result{Columns: columns, Rows: [][]any{}}
	cells, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range cells {
		targets[i] = &cells[i]
	}
	size := quantity.Size(0)
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := make([]any, len(columns))
		for i, cell := range cells {
			size += quantity.Size(len(cell.String)) + 16
			if cell.Valid {
				row[i] = cellValue(cell.String, columns[i].Type)
			}
		}
		if len(result.Rows) == limits.Rows || size > limits.Bytes {
			result.Truncated = true
			break
		}
		result.Rows = append(result.Rows, row)
	}
	return result, rows.Err()
}

// watchEvery is how often a running query's memory is looked at.
const watchEvery = 20 * time.Millisecond

// watchMemory ends the returned context when the instance uses more memory for
// computing than it did before and the limit allows, because DuckDB bounds the
// memory of the instance alone, not of a query: without it a query could take
// what loading needs. release stops the watch and waits for it.
func watchMemory(parent context.Context, db *sql.DB, limit quantity.Size) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	over := fmt.Errorf("%w: it needs more than %s of memory: ask for less, for instance fewer days", warehouse.ErrLimit, limit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		before, err := memoryInUse(ctx, db)
		if err != nil {
			return
		}
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if used, err := memoryInUse(ctx, db); err == nil && used-before > limit {
				cancel(over)
				return
			}
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// memoryInUse is what queries and loads hold, without cached tables: these give way.
//
// It is not interrupted: it takes no time, and DuckDB's threads may hold the
// file for a moment longer on behalf of a query that was.
func memoryInUse(ctx context.Context, db *sql.DB) (size quantity.Size, err error) {
	err = db.QueryRowContext(context.WithoutCancel(ctx), `select coalesce(sum(memory_usage_bytes), 0)::bigint from duckdb_memory()
		where tag not in ('BASE_TABLE', 'METADATA', 'EXTERNAL_FILE_CACHE', 'OBJECT_CACHE')`).Scan(&size)
	return size, err
}
