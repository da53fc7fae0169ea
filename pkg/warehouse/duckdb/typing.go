//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// The expressions that make typed columns are written so that no value raises an
// error. This does not rest on it: when making the typed rows of a batch, or of a
// piece of a backfill, fails, the rows at fault are found by halving, in
// transactions of their own that are undone, and these rows have NULLs.

// typingError is an error in making typed rows that lies in the rows.
type typingError struct {
	kind string // of error, without values
	err  error
}

func (e *typingError) Error() string { return e.err.Error() }
func (e *typingError) Unwrap() error { return e.err }

// asTypingError marks an error of DuckDB as one that lies in the rows, unless it is
// of a kind that lies in the disk, the memory or the instance: these are tried again.
func asTypingError(err error) error {
	d, found := errors.AsType[*duck.Error](err)
	if !found {
		return err
	}
	switch d.Type {
	case duck.ErrorTypeIO, duck.ErrorTypeNetwork, duck.ErrorTypeHTTP, duck.ErrorTypeConnection, duck.ErrorTypePermission,
		duck.ErrorTypeOutOfMemory, duck.ErrorTypeInterrupt, duck.ErrorTypeTransaction, duck.ErrorTypeScheduler, duck.ErrorTypeFatal:
		return err
	}
	kind, _, _ := strings.Cut(d.Msg, ":")
	if len(kind) > 40 || !strings.HasSuffix(kind, "Error") {
		kind = "an error"
	}
	return &typingError{kind, err}
}

// stretch is a run of rows of raw that are typed alike. Both ends are part of it.
type stretch struct {
	first, last event.Position
	typing      warehouse.Typing
}

// rows is the condition on rows r of raw.
func (s *stretch) rows(epoch string) string {
	return fmt.Sprintf("r.epoch = %s and r.seq between %d and %d and (r.seq > %[2]d or r.idx >= %[4]d) and (r.seq < %[3]d or r.idx <= %[5]d)",
		Dialect{}.Literal(epoch), s.first.Seq, s.last.Seq, s.first.Index, s.last.Index)
}

// stretches are the runs of n rows, in the order of positions.
func stretches(n int, row func(i int) (event.Position, warehouse.Typing)) (list []stretch) {
	for i := range n {
		position, typing := row(i)
		if last := len(list) - 1; last >= 0 && list[last].typing == typing {
			list[last].last = position
			continue
		}
		list = append(list, stretch{position, position, typing})
	}
	return list
}

// maxProbes bounds the search for rows at fault. It finds eight among 50,000; of
// more, their neighbours may have NULLs, too.
const maxProbes = 256

// planning has the kinds of error that a statement raises whatever the rows are:
// there is nothing to search for.
var planning = map[string]bool{"Parser Error": true, "Syntax Error": true, "Binder Error": true, "Catalog Error": true}

// partial is a run of rows, by index, that are not typed in full.
type partial struct {
	from, to int // the end is not part of it
	typing   warehouse.Typing
	kind     string // of error
}

// findPartial finds the rows at fault among n rows whose typing failed with an error
// of a kind. probe types rows and undoes it; its kind is that of an error that lies
// in the rows.
func findPartial(n int, kind string, probe func(from, to int, typing warehouse.Typing) (kind string, err error)) (found []partial, err error) {
	probes := 0
	if planning[kind] {
		probes = maxProbes
	}
	for failing := []partial{{0, n, warehouse.TypedFully, kind}}; len(failing) > 0; failing = failing[1:] {
		p := failing[0]
		before := len(failing)
		if middle := (p.from + p.to) / 2; p.to-p.from > 1 && probes < maxProbes {
			for _, half := range [...]partial{{p.from, middle, warehouse.TypedFully, ""}, {middle, p.to, warehouse.TypedFully, ""}} {
				probes++
				if half.kind, err = probe(half.from, half.to, half.typing); err != nil {
					return nil, err
				}
				if half.kind != "" {
					failing = append(failing, half)
				}
			}
		}
		if len(failing) > before {
			continue
		}
		// One row, or the search ends here, or it fails as a whole only.
		p.typing = warehouse.TypedCore
		kind, err := probe(p.from, p.to, p.typing)
		if err != nil {
			return nil, err
		}
		if kind != "" {
			p.typing = warehouse.TypedStored
		}
		found = append(found, p)
	}
	return found, nil
}

// errUndo ends a transaction that is only a probe.
var errUndo = errors.New("undo")

// probe says with which kind of error, "" for none, do makes typed rows.
func (f *file) probe(ctx context.Context, do func(tx *transaction) error) (kind string, err error) {
	for range 2 { // an error may have broken the instance, which write then opens anew
		err = f.write(ctx, "find rows that cannot be typed", func(tx *transaction) error {
			if err := do(tx); err != nil {
				return err
			}
			return errUndo
		})
		if !broken(err) {
			break
		}
	}
	if t, atFault := errors.AsType[*typingError](err); atFault {
		return t.kind, nil
	}
	if errors.Is(err, errUndo) {
		err = nil
	}
	return "", err
}

// untypedInBatch returns a *warehouse.RowsError that names the rows at fault. The
// batch is one whose first rows, so many, are left out.
func (f *file) untypedInBatch(ctx context.Context, b *warehouse.Batch, kind string, leftOut int) error {
	found, err := findPartial(len(b.Raw), kind, func(from, to int, typing warehouse.Typing) (string, error) {
		part := warehouse.Batch{Raw: b.Raw[from:to]}
		whole := stretch{part.Raw[0].Receipt.Position, part.Raw[to-from-1].Receipt.Position, typing}
		return f.probe(ctx, func(tx *transaction) error {
			if err := tx.loadRaw(&part); err != nil {
				return err
			}
			return tx.insertEvents(f.columns, typing, whole.rows(b.Raw[0].Receipt.Epoch))
		})
	})
	if err != nil {
		return err
	}
	result := &warehouse.RowsError{}
	for _, p := range found {
		for i := p.from; i < p.to; i++ {
			result.Rows = append(result.Rows, warehouse.RowError{Row: leftOut + i, Reason: p.kind, Typing: p.typing})
		}
	}
	return result
}

// untypedInPiece returns how the rows of a piece can be typed, and those that
// cannot be in full.
func (f *file) untypedInPiece(ctx context.Context, p *piece, kind string) (typed []stretch, untyped []warehouse.UntypedRow, err error) {
	var positions []event.Position
	err = f.use(func(db *sql.DB) error {
		positions, err = scanAll(ctx, db, func(rows *sql.Rows) (at event.Position, err error) {
			err = rows.Scan(&at.Seq, &at.Index)
			return at, err
		}, "select seq, idx from raw as r where usable and not duplicate and "+p.rows()+" order by seq, idx")
		return err
	})
	if err != nil || len(positions) == 0 {
		return nil, nil, err
	}
	found, err := findPartial(len(positions), kind, func(from, to int, typing warehouse.Typing) (string, error) {
		s := stretch{positions[from], positions[to-1], typing}
		return f.probe(ctx, func(tx *transaction) error { return tx.insertEvents(f.columns, typing, s.rows(p.epoch)) })
	})
	if err != nil {
		return nil, nil, err
	}
	typings := make([]warehouse.Typing, len(positions))
	for _, run := range found {
		for i := run.from; i < run.to; i++ {
			typings[i] = run.typing
			untyped = append(untyped, warehouse.UntypedRow{Receipt: event.Receipt{Epoch: p.epoch, Position: positions[i]}.String(), Reason: run.kind})
		}
	}
	return stretches(len(positions), func(i int) (event.Position, warehouse.Typing) { return positions[i], typings[i] }), untyped, nil
}
