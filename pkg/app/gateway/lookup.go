package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// lookup answers questions about what is stored, with or without a gateway that
// runs. It implements admin.Questions.
type lookup struct {
	store     warehouse.Warehouse
	settings  *config.Settings
	sanitizer *sanitizer.Sanitizer
}

// Query implements admin.Questions.
func (b lookup) Query(ctx context.Context, sql string, maxRows int) (*admin.Table, error) {
	result, err := b.store.Query(ctx, sql, warehouse.Limits{Rows: maxRows})
	switch {
	case fault.IsPermanent(err), errors.Is(err, warehouse.ErrLimit):
		return nil, admin.BadRequest(err)
	case err != nil:
		return nil, err
	case result.Truncated:
		return nil, admin.BadRequest(fmt.Errorf("the result has more than %d rows, or is too large: aggregate, use a limit clause, or raise --max-rows", maxRows))
	}
	return tableOf(result), nil
}

func tableOf(r *warehouse.Result) *admin.Table {
	t := &admin.Table{Columns: make([]admin.Column, len(r.Columns)), Rows: r.Rows}
	for i, c := range r.Columns {
		t.Columns[i] = admin.Column{Name: c.Name, Type: c.Type}
	}
	if t.Rows == nil {
		t.Rows = [][]any{}
	}
	return t
}

// reconciliationRows bounds a reconciliation: a thousand names a source, day and
// tracker are possible.
const reconciliationRows = 1_000_000

// Reconcile implements admin.Questions.
func (b lookup) Reconcile(ctx context.Context, since time.Time) (*admin.Table, error) {
	result, err := b.store.Query(ctx,
		`select * from reconciliation where day >= cast($1 as date) order by day, source, event, tracker`,
		warehouse.Limits{Rows: reconciliationRows}, since.UTC().Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	if result.Truncated {
		return nil, admin.BadRequest(errors.New("reconcile: too many rows; ask for fewer days"))
	}
	return tableOf(result), nil
}

// UncountedDays implements admin.Questions.
func (b lookup) UncountedDays(ctx context.Context, since time.Time) ([]admin.UncountedDay, error) {
	list := []admin.UncountedDay{}
	counter, ok := b.store.(warehouse.DayCounter)
	if !ok {
		return list, nil // it counts them by itself
	}
	days, err := counter.UncountedDays(ctx, since)
	for _, d := range days {
		list = append(list, admin.UncountedDay{Day: d.Day.Format(time.DateOnly), Bytes: d.Bytes})
	}
	return list, err
}

// CountDay implements admin.Questions.
func (b lookup) CountDay(ctx context.Context, day time.Time) (admin.UncountedDay, error) {
	counted := admin.UncountedDay{Day: day.Format(time.DateOnly)}
	counter, ok := b.store.(warehouse.DayCounter)
	if !ok {
		return counted, admin.BadRequest(errors.New("this warehouse counts its days by itself"))
	}
	return counted, counter.CountDay(ctx, day)
}

// Verify implements admin.Questions.
func (b lookup) Verify(ctx context.Context, since time.Time) (admin.Verification, error) {
	v := admin.Verification{Differences: admin.Table{Rows: [][]any{}}}
	for _, name := range []string{"day", "source", "event", "tracker", "outcome", "reason", "kept", "counted"} {
		v.Differences.Columns = append(v.Differences.Columns, admin.Column{Name: name, Type: "VARCHAR"})
	}
	for _, i := range []int{6, 7} {
		v.Differences.Columns[i].Type = "BIGINT"
	}
	keeper, ok := b.store.(warehouse.SumKeeper)
	if !ok {
		return v, nil
	}
	v.KeepsSums = true
	days, err := keeper.SumDays(ctx)
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	first := warehouse.Day(since)
	for _, day := range days {
		if day.Before(first) {
			continue
		}
		differences, err := keeper.VerifySums(ctx, day)
		if err != nil {
			return v, fmt.Errorf("verify: %w", err)
		}
		v.Days++
		for _, d := range differences {
			v.Differences.Rows = append(v.Differences.Rows, []any{
				d.Day.Format(time.DateOnly), d.Source, d.Event, d.Tracker, d.Outcome, d.Reason,
				json.Number(strconv.FormatInt(d.Kept, 10)), json.Number(strconv.FormatInt(d.Counted, 10)),
			})
		}
	}
	return v, nil
}

// Stored answers questions about what a gateway stored, while none runs.
type Stored struct{ lookup }

// OpenStored opens the stored warehouse for reading only. A DuckDB file fails when
// there is none, or when a gateway has it open; BigQuery is asked, and shows with the
// first question whether it answers.
func OpenStored(ctx context.Context, s *config.Settings) (*Stored, error) {
	store, err := openStore(ctx, s, true, nil)
	if err != nil {
		return nil, err
	}
	clean, err := config.OpenSanitizer(s)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &Stored{lookup{store, s, clean}}, nil
}

// Close releases the file or the connections.
func (s *Stored) Close() {
	_ = s.store.Close() // read only: there is nothing to lose
}
