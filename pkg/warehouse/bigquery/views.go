package bigquery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// ApplyViews makes the views for the merged columns and then stores these as a
// new set. If BigQuery refuses a view for good, the set stays as it was.
func (s *Store) ApplyViews(ctx context.Context, columns []warehouse.Column, drop bool) error {
	return s.write(ctx, "apply views", func() error { return s.applyViews(ctx, columns, drop) })
}

func (s *Store) applyViews(ctx context.Context, columns []warehouse.Column, drop bool) error {
	if err := s.schema.ensure(ctx); err != nil {
		return err
	}
	earlier, version, err := s.client.readColumns(ctx)
	if err != nil {
		return err
	}
	merged, err := warehouse.MergeColumns(earlier, columns, drop)
	if err != nil {
		return err
	}
	if err := CheckColumns(s.client.dialect(), merged); err != nil {
		return err
	}
	// The set is stored only after BigQuery has accepted its view: prepare makes
	// the views of the stored set, and nothing is loaded before that.
	if err := s.schema.makeViews(ctx, merged); err != nil {
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

// saveColumns appends a set of columns in one request: all are stored, or none.
func (s *Store) saveColumns(ctx context.Context, columns []warehouse.Column, version int64) error {
	at, first := time.Now(), 0
	if len(columns) == 0 {
		columns, first = []warehouse.Column{{}}, -1 // a row that stands for none
	}
	return s.saveDefault(ctx, columnsTable, len(columns), func(i int) []byte {
		c := columns[i]
		return newEncoder(256).number(version, int64(first+i)).text(c.Name, c.Property, string(c.Type), c.Description).instant(at).row
	})
}

// saveDefault appends rows through a default stream, which is closed after an
// error: the next append opens it anew.
func (s *Store) saveDefault(ctx context.Context, t *table, n int, encode func(i int) []byte) error {
	err := s.defaults.append(ctx, t, n, encode)
	if err != nil {
		s.defaults.close()
	}
	return err
}

// readColumns reads the newest set of columns, and its version.
func (c *client) readColumns(ctx context.Context) (columns []warehouse.Column, version int64, err error) {
	rows, err := c.read(ctx, fmt.Sprintf(`select distinct version, ordinal, name, property, type, description from %[1]s
		where version = (select max(version) from %[1]s) order by ordinal`, c.named(columnsTable)), nil)
	if err != nil {
		return nil, 0, fmt.Errorf("read columns: %w", err)
	}
	for _, row := range rows {
		version = as[int64](row[0])
		if ordinal := as[int64](row[1]); ordinal < 0 {
			continue
		}
		columns = append(columns, warehouse.Column{
			Name: as[string](row[2]), Property: as[string](row[3]), Type: warehouse.Type(as[string](row[4])), Description: as[string](row[5]),
		})
	}
	return columns, version, nil
}

// SavePlan keeps the text of a plan's version; the first text of a version stays.
func (s *Store) SavePlan(ctx context.Context, version, text string) error {
	return s.write(ctx, "save plan", func() error {
		stored, err := s.client.count(ctx, plansTable, "version = @version", map[string]any{"version": version})
		if err != nil || stored > 0 {
			return err
		}
		return s.saveDefault(ctx, plansTable, 1, func(int) []byte {
			return newEncoder(len(text)+64).text(version, text).instant(time.Now()).row
		})
	})
}

// Names returns the event names of a source and day.
func (s *Store) Names(ctx context.Context, day time.Time, source string) ([]string, error) {
	rows, err := s.client.read(ctx, "select distinct event from "+s.client.named(namesTable)+" where day = date(@day) and source = @source",
		map[string]any{"day": day.UTC(), "source": source})
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		names = append(names, as[string](row[0]))
	}
	return names, nil
}
