package bigquery

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// ApplyViews makes the views anew and keeps the merged columns as a new set. What
// BigQuery refuses for good leaves the views and the set as they were.
func (s *Store) ApplyViews(ctx context.Context, columns []warehouse.Column, drop bool) error {
	release, err := s.hold(ctx)
	if err != nil {
		return fmt.Errorf("apply views: %w", err)
	}
	defer release()
	if !s.prepared {
		if err := s.prepare(ctx); err != nil {
			return fmt.Errorf("apply views: %w", err)
		}
	}
	if err := s.applyViews(ctx, columns, drop); err != nil {
		s.dropStreams()
		return fmt.Errorf("apply views: %w", err)
	}
	return nil
}

func (s *Store) applyViews(ctx context.Context, columns []warehouse.Column, drop bool) error {
	earlier, version, err := s.readColumns(ctx)
	if err != nil {
		return err
	}
	merged, err := warehouse.MergeColumns(earlier, columns, drop)
	if err != nil {
		return err
	}
	if err := fits(warehouse.NormalizedView(s.dialect(), merged), len(merged)); err != nil {
		return err
	}
	// A set is saved once BigQuery takes its view: Prepare makes the views of
	// the saved one, and nothing is loaded before it.
	if err := s.makeViews(ctx, merged); err != nil {
		if kind(err) == codes.InvalidArgument {
			return fault.Permanent(err)
		}
		return err
	}
	if slices.Equal(earlier, merged) {
		return nil
	}
	return s.saveColumns(ctx, merged, version+1)
}

// longestView is the longest text of a view that BigQuery takes, in characters.
const longestView = 256_000

// fits says when a view of so many columns is too long, and what to do.
func fits(view warehouse.View, columns int) error {
	if n := utf8.RuneCountInString(view.Select); n > longestView {
		return fault.Permanent(fmt.Errorf("the view %s would have %d columns of properties and %d characters; BigQuery takes %d: "+
			"let the plan have fewer properties, or gather some into one of type object, then run sparrow views apply --drop to let go of those it no longer has",
			view.Name, columns, n, longestView))
	}
	return nil
}

// saveColumns appends a set of columns in one request, so that it is there as a
// whole or not at all.
func (s *Store) saveColumns(ctx context.Context, columns []warehouse.Column, version int64) error {
	at := time.Now()
	if len(columns) == 0 {
		return s.note(ctx, columnsTable, 1, func(int) ([]byte, error) {
			return newEncoder(64).number(version, -1).text("", "", "", "").instant(at).row, nil
		})
	}
	return s.note(ctx, columnsTable, len(columns), func(i int) ([]byte, error) {
		c := columns[i]
		return newEncoder(256).number(version, int64(i)).text(c.Name, c.Property, string(c.Type), c.Description).instant(at).row, nil
	})
}

// readColumns reads the newest set, and its version.
func (s *Store) readColumns(ctx context.Context) (columns []warehouse.Column, version int64, err error) {
	rows, err := s.read(ctx, fmt.Sprintf(`select distinct version, ordinal, name, property, type, description from %[1]s
		where version = (select max(version) from %[1]s) order by ordinal`, s.named(columnsTable.name)), nil)
	if err != nil {
		return nil, 0, fmt.Errorf("read columns: %w", err)
	}
	for _, row := range rows {
		version, _ = row[0].(int64)
		if ordinal, _ := row[1].(int64); ordinal < 0 {
			continue
		}
		var c warehouse.Column
		c.Name, _ = row[2].(string)
		c.Property, _ = row[3].(string)
		typ, _ := row[4].(string)
		c.Type = warehouse.Type(typ)
		c.Description, _ = row[5].(string)
		columns = append(columns, c)
	}
	return columns, version, nil
}

// SavePlan keeps the text of a plan's version; the first text of a version holds.
func (s *Store) SavePlan(ctx context.Context, version, text string) error {
	release, err := s.hold(ctx)
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	defer release()
	rows, err := s.read(ctx, "select count(*) from "+s.named(plansTable.name)+" where version = @version", map[string]any{"version": version})
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	if n, _ := rows[0][0].(int64); n > 0 {
		return nil
	}
	err = s.note(ctx, plansTable, 1, func(int) ([]byte, error) {
		return newEncoder(len(text)+64).text(version, text).instant(time.Now()).row, nil
	})
	if err != nil {
		s.dropStreams()
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

// Names reads the names of a source and day.
func (s *Store) Names(ctx context.Context, day time.Time, source string) ([]string, error) {
	rows, err := s.read(ctx, "select distinct event from "+s.named(namesTable.name)+" where day = date(@day) and source = @source",
		map[string]any{"day": day.UTC(), "source": source})
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		if name, ok := row[0].(string); ok {
			names = append(names, name)
		}
	}
	return names, nil
}
