package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

const (
	// propertiesAtOnce is how many properties one query counts.
	propertiesAtOnce = 40
	// maxNames bounds the rows of a query: an event has at most as many names as
	// fit in a request, but a hostile client can use other ones each time.
	maxNames = 5000
	// maxUnlisted is how many properties are printed that the plan does not list.
	maxUnlisted = 50
)

// checkData compares the plan with what the warehouse has of the last days, and
// fails if values do not fit. It reads raw, instead of counts that the loader could
// keep, so that it answers for a plan that no gateway uses yet, and costs no load.
func (s *invocation) checkData(cmd *cobra.Command, settings *config.Settings, days, events int, format string) error {
	dialect, err := settings.Dialect(settings.Config.Warehouse.Kind)
	if err != nil {
		return err
	}
	ops, err := s.stored(cmd.Context())
	if err != nil {
		return err
	}
	defer ops.Close()
	c := &planComparison{
		plan: settings.Plan, dialect: dialect, query: ops, events: events,
		kinds: map[planned]kindCounts{}, unlisted: map[planned]int{},
	}
	today := time.Now().UTC()
	for i := range days {
		if err := c.addDay(cmd.Context(), today.AddDate(0, 0, -i)); err != nil {
			return fmt.Errorf("compare plan with data: %w", err)
		}
	}
	table, wrong := c.table()
	if err := printTable(cmd.OutOrStdout(), table, format); err != nil {
		return err
	}
	if format == "table" {
		fmt.Fprintln(cmd.OutOrStdout(), c.summary(days))
	}
	if wrong > 0 {
		return fmt.Errorf("properties with values of another type than the plan's: %d: such values are not sent to vendors and are NULL in raw_normalized: correct the plan or the clients", wrong)
	}
	return nil
}

// planned is a property of an event.
type planned struct{ event, property string }

// kindCounts are how many values are of each kind.
type kindCounts map[warehouse.ValueKind]int

// planComparison adds up what events have, over some days.
type planComparison struct {
	plan    *plan.Plan
	dialect warehouse.Dialect
	query   admin.Questions
	events  int // of a day, that are read at most

	read     int
	partial  int // days of which only a part is read
	kinds    map[planned]kindCounts
	unlisted map[planned]int
	more     bool // there are properties that were not counted
}

// addDay reads one day.
func (c *planComparison) addDay(ctx context.Context, day time.Time) error {
	var properties []string
	for _, column := range c.plan.Columns() {
		properties = append(properties, column.Property)
	}
	if len(properties) == 0 {
		properties = []string{""} // to count the events
	}
	for i, part := range slices.Collect(slices.Chunk(properties, propertiesAtOnce)) {
		rows, err := c.counts(ctx, warehouse.ValueKindsQuery(c.dialect, day, c.events, part))
		if err != nil {
			return err
		}
		read := 0
		for _, row := range rows {
			read += row.counts[0]
			c.addKinds(row, part)
		}
		if i == 0 {
			c.read += read
			if read >= c.events {
				c.partial++
			}
		}
	}
	return c.addNames(ctx, day)
}

// addKinds adds the counts of one event name.
func (c *planComparison) addKinds(row countedRow, properties []string) {
	e, found := c.plan.Event(row.texts[0])
	if !found {
		return
	}
	kinds := warehouse.ValueKinds()
	for i, property := range properties {
		if _, found := e.Properties[property]; !found {
			continue
		}
		key := planned{row.texts[0], property}
		if c.kinds[key] == nil {
			c.kinds[key] = kindCounts{}
		}
		for k, kind := range kinds {
			c.kinds[key][kind] += row.counts[1+i*len(kinds)+k]
		}
	}
}

// addNames adds the properties that the plan does not list for an event it has.
func (c *planComparison) addNames(ctx context.Context, day time.Time) error {
	query := warehouse.PropertyNamesQuery(c.dialect, day, c.events, maxNames)
	if query == "" {
		return nil
	}
	rows, err := c.counts(ctx, query)
	if err != nil {
		return err
	}
	c.more = c.more || len(rows) == maxNames
	for _, row := range rows {
		if e, found := c.plan.Event(row.texts[0]); found && e.Properties[row.texts[1]] == nil {
			c.unlisted[planned{row.texts[0], row.texts[1]}] += row.counts[0]
		}
	}
	return nil
}

// countedRow is a row whose first columns are text and whose others are counts.
type countedRow struct {
	texts  []string
	counts []int
}

func (c *planComparison) counts(ctx context.Context, query string) ([]countedRow, error) {
	table, err := c.query.Query(ctx, query, 100_000)
	if err != nil {
		return nil, err
	}
	var list []countedRow
	for _, cells := range table.Rows {
		var row countedRow
		for i, cell := range cells {
			if column := table.Columns[i].Name; column == "event" || column == "name" {
				row.texts = append(row.texts, fmt.Sprint(cell))
				continue
			}
			n, err := strconv.Atoi(fmt.Sprint(cell))
			if err != nil {
				return nil, errors.New("the warehouse returned something else than a count")
			}
			row.counts = append(row.counts, n)
		}
		list = append(list, row)
	}
	return list, nil
}

// fits says whether values of a kind are of a type of the plan.
func fits(kind warehouse.ValueKind, t plan.Type) bool {
	switch t {
	case plan.String:
		return kind == warehouse.KindText || kind == warehouse.KindTimestamp
	case plan.Number:
		return kind == warehouse.KindInteger || kind == warehouse.KindNumber
	case plan.Any:
		return true
	}
	return string(kind) == string(t)
}

// table has what does not fit, the largest share first, then what the plan does not
// list. wrong is how many properties have values that do not fit.
func (c *planComparison) table() (table *admin.Table, wrong int) {
	table = &admin.Table{Rows: [][]any{}}
	for _, name := range []string{"event", "property", "plan", "values", "found"} {
		table.Columns = append(table.Columns, admin.Column{Name: name})
	}
	type finding struct {
		share float64
		row   []any
	}
	var findings []finding
	for key, kinds := range c.kinds {
		e, _ := c.plan.Event(key.event)
		want := e.Properties[key.property].Type
		all, misfits := 0, 0
		for kind, n := range kinds {
			if all += n; !fits(kind, want) {
				misfits += n
			}
		}
		if misfits == 0 {
			continue
		}
		var found []string
		for _, kind := range warehouse.ValueKinds() {
			if n := kinds[kind]; n > 0 && !fits(kind, want) {
				found = append(found, percent(n, all)+" "+string(kind))
			}
		}
		findings = append(findings, finding{float64(misfits) / float64(all), []any{key.event, key.property, string(want), all, strings.Join(found, ", ")}})
	}
	slices.SortFunc(findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(b.share, a.share), strings.Compare(fmt.Sprint(a.row...), fmt.Sprint(b.row...)))
	})
	for _, f := range findings {
		table.Rows = append(table.Rows, f.row)
	}
	return c.appendUnlisted(table), len(findings)
}

func (c *planComparison) appendUnlisted(table *admin.Table) *admin.Table {
	var keys []planned
	for key := range c.unlisted {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b planned) int {
		return cmp.Or(cmp.Compare(c.unlisted[b], c.unlisted[a]), cmp.Compare(a.event, b.event), cmp.Compare(a.property, b.property))
	})
	if len(keys) > maxUnlisted {
		keys, c.more = keys[:maxUnlisted], true
	}
	for _, key := range keys {
		table.Rows = append(table.Rows, []any{key.event, event.Truncate(key.property, plan.MaxName), nil, c.unlisted[key], "not in the plan"})
	}
	return table
}

// percent is a share; one that is not 0 does not look like it.
func percent(n, of int) string {
	share := 100 * float64(n) / float64(of)
	if share < 0.1 {
		return "<0.1%"
	}
	return strconv.FormatFloat(share, 'f', 1, 64) + "%"
}

// summary says what was read.
func (c *planComparison) summary(days int) string {
	text := fmt.Sprintf("%d events of %d days were read", c.read, days)
	if c.partial > 0 {
		text += fmt.Sprintf("; of %d days only the first %d events: --max-events reads more", c.partial, c.events)
	}
	if c.more {
		text += "; there are more properties that are not in the plan"
	}
	if _, ok := c.dialect.(warehouse.PropertyNamer); !ok {
		text += "; properties that are not in the plan are looked for in DuckDB only"
	}
	return text
}
