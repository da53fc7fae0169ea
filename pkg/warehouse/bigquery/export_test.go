package bigquery

import "github.com/sparrow-edge/sparrow/pkg/warehouse"

// JSONPath is a path as the views write it; not ok when no path can name it.
func JSONPath(path warehouse.Path) (text string, ok bool) { return jsonPath(path) }

// AllViews are the views of a dataset.
func AllViews(d Dialect, columns []warehouse.Column) []warehouse.View {
	return append(d.logViews(), warehouse.Views(d, columns, 0)...)
}

// Judged wraps an error of BigQuery with what it means.
func Judged(err error) error { return judged(err) }
