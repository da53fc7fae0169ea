package bigquery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
)

// TestPlansBeyondBigQuerysLimits: each limit is named, with what to do.
func TestPlansBeyondBigQuerysLimits(t *testing.T) {
	many := func(n int) (list []warehouse.Column) {
		for i := range n {
			list = append(list, warehouse.Column{Name: fmt.Sprintf("c%d", i), Property: fmt.Sprintf("p%d", i), Type: warehouse.TypeString})
		}
		return list
	}
	for _, tt := range []struct {
		name    string
		columns []warehouse.Column
		want    []string
	}{
		{"none", nil, nil},
		{"a thousand", many(1000), nil},
		{"300 characters of two bytes", []warehouse.Column{{Name: strings.Repeat("é", 300), Property: "p", Type: warehouse.TypeString}}, nil},
		{"a long name", []warehouse.Column{{Name: strings.Repeat("c", 301), Property: "the long one", Type: warehouse.TypeString}}, []string{"the long one", "301 characters; BigQuery takes 300"}},
		{"a long view", many(2000), []string{"2000 columns of properties", "BigQuery takes 256000", "sparrow views apply --drop"}},
		{"too many columns", many(10_000), []string{"10008 columns; BigQuery takes 10000"}},
	} {
		err := bigquery.CheckColumns(bigquery.Dialect{Project: "my-project-123", Dataset: "sparrow"}, tt.columns)
		if (err != nil) != (tt.want != nil) || err != nil && !fault.IsPermanent(err) {
			t.Errorf("%s: error %v", tt.name, err)
		}
		for _, part := range tt.want {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error does not say %q: %v", tt.name, part, err)
			}
		}
	}
}
