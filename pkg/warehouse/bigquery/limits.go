package bigquery

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// BigQuery's limits of tables and views (https://cloud.google.com/bigquery/quotas:
// "Maximum number of columns in a table, query result, or view definition", "Column
// name length", "Maximum length of a standard SQL view query"). Lengths are in
// characters. The 256K of a view are taken as 256,000, to be on the safe side.
const (
	longestView   = 256_000
	longestColumn = 300
	mostColumns   = 10_000
)

// CheckColumns says which of BigQuery's limits the columns of a plan exceed, and
// what to do. The error is permanent.
func CheckColumns(d Dialect, columns []warehouse.Column) error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, c := range columns {
		if n := utf8.RuneCountInString(c.Name); n > longestColumn {
			problem("property %.40q: its column name has %d characters; BigQuery takes %d: give the property a shorter column name in the plan", c.Property, n, longestColumn)
		}
	}
	view := warehouse.NormalizedView(d, columns)
	if n := len(view.Columns); n > mostColumns {
		problem("the view %s would have %d columns; BigQuery takes %d: let the plan have fewer properties, or gather some into one of type object", view.Name, n, mostColumns)
	}
	if n := utf8.RuneCountInString(view.Select); n > longestView {
		problem("the view %s would have %d columns of properties and %d characters; BigQuery takes %d: "+
			"let the plan have fewer properties, or gather some into one of type object, then run sparrow views apply --drop to let go of those it no longer has",
			view.Name, len(columns), n, longestView)
	}
	if problems == nil {
		return nil
	}
	return fault.Permanent(errors.Join(problems...))
}
