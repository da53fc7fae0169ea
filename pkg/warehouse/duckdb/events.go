//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// fillRows is about how many rows of raw one piece of a refill reads.
const fillRows = 100_000

var sqlTypes = map[warehouse.Type]string{
	warehouse.TypeString: "VARCHAR", warehouse.TypeInteger: "HUGEINT", warehouse.TypeNumber: "DECIMAL(38,9)",
	warehouse.TypeBoolean: "BOOLEAN", warehouse.TypeTimestamp: "TIMESTAMP", warehouse.TypeJSON: "JSON",
}

// alignEvents gives the table events the columns of a plan. If a column is new,
// or has another type or property than before, the rows that are loaded are
// unfilled: they are read from raw until Backfill has made them again.
func (tx *transaction) alignEvents(earlier, columns []warehouse.Column) error {
	var d Dialect
	present, err := scanAll(tx.ctx, tx.conn, func(rows *sql.Rows) (c [2]string, err error) {
		err = rows.Scan(&c[0], &c[1])
		return c, err
	}, "select column_name, data_type from duckdb_columns() where database_name = current_database() and table_name = 'events'")
	if err != nil {
		return fmt.Errorf("read columns of events: %w", err)
	}
	type column struct{ name, kind string }
	has := map[string]column{} // by name in lower case, as DuckDB compares them
	for _, c := range present {
		has[strings.ToLower(c[0])] = column{c[0], c[1]}
	}
	if len(has) == 0 {
		if err := tx.exec("create table events (day date, epoch varchar, seq ubigint, idx uinteger)"); err != nil {
			return fmt.Errorf("make events: %w", err)
		}
	}
	changed := map[string]bool{}
	for _, c := range columns {
		changed[warehouse.TypedPrefix+c.Name] = !slices.ContainsFunc(earlier, func(e warehouse.Column) bool {
			return e.Name == c.Name && e.Property == c.Property && e.Type == c.Type
		})
	}
	unfilled := false
	keep := warehouse.TypedPlace()
	for _, c := range warehouse.TypedColumns(d, columns, warehouse.TypedFully) {
		keep = append(keep, strings.ToLower(c.Name))
		old := has[strings.ToLower(c.Name)]
		if old == (column{c.Name, sqlTypes[c.Type]}) && !changed[c.Name] {
			continue
		}
		unfilled = true
		if old.name != "" {
			if err := tx.dropEventsColumn(old.name); err != nil {
				return err
			}
		}
		if err := tx.exec("alter table events add column " + d.Quote(c.Name) + " " + sqlTypes[c.Type]); err != nil {
			return fmt.Errorf("add column %s: %w", c.Name, err)
		}
	}
	for key, old := range has {
		if !slices.Contains(keep, key) {
			if err := tx.dropEventsColumn(old.name); err != nil {
				return err
			}
		}
	}
	if !unfilled {
		return nil
	}
	if err := tx.exec("delete from unfilled"); err != nil {
		return fmt.Errorf("replace unfilled: %w", err)
	}
	return tx.exec("insert into unfilled select epoch, max(seq) + 1 from raw group by epoch")
}

func (tx *transaction) dropEventsColumn(name string) error {
	if err := tx.exec("alter table events drop column " + Dialect{}.Quote(name)); err != nil {
		return fmt.Errorf("drop column %s: %w", name, err)
	}
	return nil
}

// loadEvents fills the table events from the rows that the batch has put into raw.
func (tx *transaction) loadEvents(b *warehouse.Batch, columns []warehouse.Column) error {
	for _, s := range stretches(len(b.Raw), func(i int) (event.Position, warehouse.Typing) { return b.Raw[i].Receipt.Position, b.Raw[i].Typing }) {
		if err := tx.insertEvents(columns, s.typing, s.rows(b.Raw[0].Receipt.Epoch)); err != nil {
			return fmt.Errorf("load events: %w", err)
		}
	}
	return nil
}

// insertEvents makes typed rows of rows of raw, those of one event name side by
// side. A *typingError says that rows are at fault.
func (tx *transaction) insertEvents(columns []warehouse.Column, typing warehouse.Typing, rows string) error {
	var d Dialect
	var names []string
	for _, name := range warehouse.TypedPlace() {
		names = append(names, d.Quote(name))
	}
	for _, c := range warehouse.TypedColumns(d, columns, typing) {
		names = append(names, d.Quote(c.Name))
	}
	return asTypingError(tx.exec("insert into events (" + strings.Join(names, ", ") + ") select * from (" + tx.typedSelect(d, columns, typing, rows) + ") order by day, event"))
}

// unfilled is the condition on rows r of raw, or of events, whose typed columns
// are to be made again; "" for none.
func (tx *transaction) unfilled() (string, error) {
	parts, err := scanAll(tx.ctx, tx.conn, func(rows *sql.Rows) (string, error) {
		var epoch string
		var seq uint64
		err := rows.Scan(&epoch, &seq)
		return fmt.Sprintf("(r.epoch = %s and r.seq < %d)", Dialect{}.Literal(epoch), seq), err
	}, "select epoch, seq from unfilled order by epoch")
	if err != nil {
		return "", fmt.Errorf("read unfilled: %w", err)
	}
	return strings.Join(parts, " or "), nil
}

// piece is a part of raw whose typed rows are made again.
type piece struct {
	epoch      string
	begin, end uint64 // sequences; the end is not part of it
	left       int64  // rows of raw that are not made again, this piece included
}

func (p *piece) rows() string {
	return fmt.Sprintf("r.epoch = %s and r.seq >= %d and r.seq < %d", Dialect{}.Literal(p.epoch), p.begin, p.end)
}

// nextPiece is the newest part that is to be made again, of about so many rows;
// nil if there is none.
func (tx *transaction) nextPiece(size int64) (*piece, error) {
	pieces, err := scanAll(tx.ctx, tx.conn, func(rows *sql.Rows) (p piece, err error) {
		err = rows.Scan(&p.epoch, &p.end, &p.left)
		return p, err
	}, `select u.epoch, u.seq, (select count(*) from raw as r where r.epoch = u.epoch and r.seq < u.seq)
		from unfilled as u left join positions as p on p.stream = 'events' and p.epoch = u.epoch order by p.loaded desc nulls last limit 1`)
	if err != nil || len(pieces) == 0 {
		return nil, err
	}
	p := &pieces[0]
	_, err = scanAll(tx.ctx, tx.conn, func(rows *sql.Rows) (struct{}, error) {
		return struct{}{}, rows.Scan(&p.begin)
	}, fmt.Sprintf(`select coalesce(min(seq), 0)::ubigint from (
			select seq from raw where epoch = $1 and seq < $2 order by seq desc limit %d)`, size), p.epoch, p.end)
	return p, err
}

// fillEvents makes the typed rows of a piece again, all of them in full if typed is
// nil, and returns about how many rows are left.
func (tx *transaction) fillEvents(columns []warehouse.Column, p *piece, typed []stretch, size int64) (left int64, err error) {
	if err := tx.exec("delete from events as r where " + p.rows()); err != nil {
		return 0, err
	}
	if typed == nil {
		err = tx.insertEvents(columns, warehouse.TypedFully, p.rows())
	}
	for _, s := range typed {
		err = errors.Join(err, tx.insertEvents(columns, s.typing, s.rows(p.epoch)))
	}
	if err != nil {
		return 0, err
	}
	if p.left <= size || p.begin == 0 {
		return 0, tx.exec("delete from unfilled where epoch = $1", p.epoch)
	}
	return p.left - size, tx.exec("update unfilled set seq = $1 where epoch = $2", p.begin, p.epoch)
}

// Backfill implements warehouse.Backfiller.
func (f *file) Backfill(ctx context.Context) (progress warehouse.BackfillProgress, err error) {
	var p *piece
	err = f.write(ctx, "backfill", func(tx *transaction) error {
		days, err := tx.countNextDay()
		if err != nil || days >= 0 {
			progress.Left = days + 1 // the events come after
			return err
		}
		if p, err = tx.nextPiece(f.fillRows); err != nil || p == nil {
			return err
		}
		progress.Left, err = f.fill(tx, p, nil)
		return err
	})
	t, atFault := errors.AsType[*typingError](err)
	if !atFault {
		return progress, err
	}
	typed, partial, err := f.untypedInPiece(ctx, p, t.kind)
	if err != nil {
		return progress, err
	}
	progress.Untyped = partial
	err = f.write(ctx, "backfill", func(tx *transaction) error {
		progress.Left, err = f.fill(tx, p, typed)
		return err
	})
	return progress, err
}

func (f *file) fill(tx *transaction, p *piece, typed []stretch) (left int64, err error) {
	if left, err = tx.fillEvents(f.columns, p, typed, f.fillRows); err != nil {
		return 0, fmt.Errorf("fill events: %w", err)
	}
	return left, f.makeViews(tx, f.columns)
}
