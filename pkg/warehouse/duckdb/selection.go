//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// maxQuery is the longest text of a query, in bytes.
const maxQuery = 256 << 10

// tableFunctions are the table functions that a query may use: they compute, or
// describe the tables. All others read files, change the instance, or run SQL
// given as text.
var tableFunctions = [...]string{
	"range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree", "summary", "test_all_types",
	"duckdb_columns", "duckdb_constraints", "duckdb_functions", "duckdb_indexes", "duckdb_keywords", "duckdb_memory",
	"duckdb_schemas", "duckdb_tables", "duckdb_types", "duckdb_views", "icu_calendar_names", "pg_timezone_names",
	"pragma_show", "pragma_table_info", "pragma_version",
}

// refusedFunctions are the scalar functions that do more than compute.
var refusedFunctions = [...]string{"write_log", "nextval", "currval", "setseed", "sleep_ms"}

// selection parses a query without running any of it and returns it as DuckDB
// writes it: one SELECT, without comments or anything after it.
func selection(ctx context.Context, db *sql.DB, query string) (string, error) {
	if len(query) > maxQuery {
		return "", fault.Permanent(fmt.Errorf("the query is %d bytes long, %d at most", len(query), maxQuery))
	}
	var tree, text sql.NullString
	err := db.QueryRowContext(ctx, "select s, case when s->>'$.error' = 'false' then json_deserialize_sql(s) end from (select cast(json_serialize_sql(cast($1 as varchar)) as varchar) as s)", query).
		Scan(&tree, &text)
	if err != nil {
		return "", fmt.Errorf("parse query: %w", err)
	}
	var parsed struct {
		Error      bool   `json:"error"`
		Type       string `json:"error_type"`
		Message    string `json:"error_message"`
		Statements []any  `json:"statements"`
	}
	if err := json.Unmarshal([]byte(tree.String), &parsed); err != nil {
		return "", fmt.Errorf("parse query: %w", err)
	}
	switch {
	case parsed.Error && parsed.Type == "not implemented":
		return "", fault.Permanent(errors.New("only one SELECT is allowed (also DESCRIBE, SHOW and SUMMARIZE): a query can read, and nothing else"))
	case parsed.Error:
		return "", fault.Permanent(fmt.Errorf("parse query: %s", parsed.Message))
	case len(parsed.Statements) != 1:
		return "", fault.Permanent(fmt.Errorf("%d statements: only one SELECT is allowed", len(parsed.Statements)))
	}
	if err := checkFunctions(parsed.Statements[0], false); err != nil {
		return "", fault.Permanent(err)
	}
	return text.String, nil
}

// checkFunctions walks a parsed query. table says that node is what a table
// function's node calls.
func checkFunctions(node any, table bool) error {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			if err := checkFunctions(child, false); err != nil {
				return err
			}
		}
	case map[string]any:
		if name, ok := node["function_name"].(string); ok {
			if err := checkFunction(strings.ToLower(name), table); err != nil {
				return err
			}
		}
		calls := node["type"] == "TABLE_FUNCTION"
		for key, child := range node {
			if err := checkFunctions(child, calls && key == "function"); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFunction(name string, table bool) error {
	if table && !slices.Contains(tableFunctions[:], name) {
		return fmt.Errorf("the table function %s is not allowed: a query reads tables and views, not files or settings", name)
	}
	if slices.Contains(refusedFunctions[:], name) {
		return fmt.Errorf("the function %s is not allowed", name)
	}
	return nil
}
