package config

import (
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// ViewStatements is the SQL of the views that the plan asks for, in the SQL of a
// kind of warehouse; "" for the one that is configured.
func (s *Settings) ViewStatements(kind string) ([]string, error) {
	if kind == "" {
		kind = s.Config.Warehouse.Kind
	}
	d, err := s.Dialect(kind)
	if err != nil {
		return nil, err
	}
	var statements []string
	for _, v := range warehouse.Views(d, ViewColumns(s.Plan), int64(s.Config.Warehouse.Loader.Settle.Seconds())) {
		statements = append(statements, "create or replace view "+d.Table(v.Name)+" as\n"+v.Select)
	}
	return statements, nil
}

// Dialect is the SQL of a kind of warehouse.
func (s *Settings) Dialect(kind string) (warehouse.Dialect, error) {
	switch kind {
	case KindDuckDB:
		return duckdb.Dialect{}, nil
	case KindBigQuery:
		c := s.Config.Warehouse.BigQuery
		if c.Project == "" {
			return bigquery.Dialect{}, nil // of a file that stands for any dataset
		}
		return bigquery.Dialect{Project: c.Project, Dataset: c.Dataset}, nil
	default:
		return nil, fmt.Errorf("dialect %q is not known, use duckdb or bigquery", kind)
	}
}

// CheckColumns says which limits of the configured warehouse the plan's columns
// exceed.
func (s *Settings) CheckColumns() error {
	d, err := s.Dialect(s.Config.Warehouse.Kind)
	if err != nil {
		return err
	}
	columns := ViewColumns(s.Plan)
	if _, err := warehouse.MergeColumns(nil, columns, false); err != nil {
		return err
	}
	if big, ok := d.(bigquery.Dialect); ok {
		return bigquery.CheckColumns(big, columns)
	}
	return nil
}

// StoredPlan is what the loader keeps of a plan.
func StoredPlan(p *plan.Plan) warehouse.Plan {
	return warehouse.Plan{Version: p.Version(), Text: p.Text(), Columns: ViewColumns(p)}
}

// ViewColumns are the columns that a plan asks of the view raw_normalized.
func ViewColumns(p *plan.Plan) []warehouse.Column {
	var columns []warehouse.Column
	for _, c := range p.Columns() {
		columns = append(columns, warehouse.Column{Name: c.Name, Property: c.Property, Type: warehouse.Type(c.Type), Description: c.Description})
	}
	return columns
}
