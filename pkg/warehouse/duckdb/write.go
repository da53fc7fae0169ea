//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// write runs do in a transaction on the one connection that writes.
func (f *file) write(ctx context.Context, what string, do func(tx *transaction) error) error {
	if f.config.ReadOnly {
		return fault.Permanent(fmt.Errorf("%s: the warehouse is open for reading only", what))
	}
	ctx, cancel := f.untilClosed(ctx)
	defer cancel()
	select {
	case <-f.writing:
		defer func() { f.writing <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	}
	if err := f.checkDisk(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	err := f.use(func(db *sql.DB) error { return f.transact(ctx, db, do) })
	if err == nil {
		return nil
	}
	f.suspect = fault.StorageAdvice(err) != ""
	if broken(err) {
		err = errors.Join(err, f.reopen(ctx))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// checkDisk returns an error while the disk that failed a write still fails. DuckDB
// is spared the attempt: when it can neither write its log nor cut it, it ends the
// whole process.
func (f *file) checkDisk() error {
	if !f.suspect {
		return nil
	}
	probe, err := os.CreateTemp(filepath.Dir(f.path), "probe-*")
	if err != nil {
		return fmt.Errorf("the disk of the warehouse fails: %w", err)
	}
	_, err = probe.Write(make([]byte, 4096))
	if err = errors.Join(err, probe.Sync(), probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("the disk of the warehouse fails: %w", err)
	}
	f.suspect = false
	return nil
}

func (f *file) transact(ctx context.Context, db *sql.DB, do func(tx *transaction) error) (err error) {
	if f.writer == nil {
		if f.writer, err = newWriter(ctx, db); err != nil {
			return err
		}
	}
	tx := &transaction{ctx: ctx, conn: f.writer, typedSelect: f.typedSelect}
	if err := tx.exec("begin transaction"); err != nil {
		f.dropWriter()
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		// The caller's context may have ended; what it began must not stay.
		if _, undo := f.writer.ExecContext(context.WithoutCancel(ctx), "rollback"); undo != nil {
			f.dropWriter()
		}
	}()
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.exec("commit"); err != nil {
		return err
	}
	if tx.columns != nil {
		f.columns = *tx.columns
	}
	return nil
}

// newWriter opens the connection that writes, with its staging tables.
func newWriter(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	for _, statement := range tables {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("make table: %w", err), conn.Close())
		}
	}
	for _, statement := range staging {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("make table: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// dropWriter throws the writing connection away: its state is not known.
func (f *file) dropWriter() {
	_ = f.writer.Raw(func(any) error { return driver.ErrBadConn })
	_ = f.writer.Close()
	f.writer = nil
}

// broken reports whether DuckDB gave the instance up, as it does when it could
// not write its log (a full disk): every later call fails until it is reopened.
func broken(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "database has been invalidated") || strings.Contains(text, "FATAL Error")
}

// reopen opens the file anew after it broke. The caller holds the writing token.
func (f *file) reopen(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return errClosed
	}
	_ = f.shut() // a broken instance has nothing more to say
	db, err := f.openInstance(ctx)
	if err != nil {
		return err
	}
	f.db = db
	return nil
}

// transaction is a transaction on the writing connection.
type transaction struct {
	ctx     context.Context
	conn    *sql.Conn
	columns *[]warehouse.Column // of the plan, once it is committed; nil: as before

	typedSelect func(d warehouse.Dialect, columns []warehouse.Column, typing warehouse.Typing, rows string) string
}

func (tx *transaction) exec(statement string, args ...any) error {
	_, err := tx.conn.ExecContext(tx.ctx, statement, args...)
	return err
}

// append appends n rows to a table. The appender takes part in the
// connection's transaction.
func (tx *transaction) append(catalog, table string, n int, row func(i int) []driver.Value) error {
	if n == 0 {
		return nil
	}
	return tx.conn.Raw(func(conn any) error {
		appender, err := duck.NewAppender(conn.(driver.Conn), catalog, "", table)
		if err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		for i := range n {
			if err := appender.AppendRow(row(i)...); err != nil {
				return errors.Join(fmt.Errorf("append to %s: %w", table, err), appender.Clear(), appender.Close())
			}
		}
		if err := appender.CloseWithCancel(tx.ctx); err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		return nil
	})
}

// now is the time that rows are stamped with, in UTC.
func now() time.Time { return time.Now().UTC() }
