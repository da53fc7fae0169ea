package bigquerytest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
)

// column is a column of a table, or a field of a record.
type column struct {
	name     string
	kind     string // STRING, INTEGER, ... in the names of legacy SQL
	required bool
	repeated bool
	fields   []column // of a RECORD
}

// kinds maps the type names that the REST API takes to one for each type.
var kinds = map[string]string{
	"STRING": "STRING", "BYTES": "BYTES", "INTEGER": "INTEGER", "INT64": "INTEGER", "FLOAT": "FLOAT", "FLOAT64": "FLOAT",
	"BOOLEAN": "BOOLEAN", "BOOL": "BOOLEAN", "TIMESTAMP": "TIMESTAMP", "DATE": "DATE", "TIME": "TIME", "DATETIME": "DATETIME",
	"GEOGRAPHY": "GEOGRAPHY", "NUMERIC": "NUMERIC", "BIGNUMERIC": "BIGNUMERIC", "JSON": "JSON", "RECORD": "RECORD", "STRUCT": "RECORD",
	"INTERVAL": "INTERVAL",
}

// Bounds of BigQuery: "Quotas and limits", "Specifying a schema".
const (
	maxColumns           = 10_000
	maxColumnName        = 300
	maxColumnDescription = 1024
	maxNesting           = 15
)

var reservedPrefixes = []string{"_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER", "_CHANGE_"}

// columns reads a schema as the REST API gives it.
func columns(fields []*bq.TableFieldSchema, depth int) ([]column, error) {
	if len(fields) > maxColumns {
		return nil, fmt.Errorf("too many columns: %d, limit %d", len(fields), maxColumns)
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("nested deeper than %d levels", maxNesting)
	}
	seen := map[string]bool{}
	list := make([]column, 0, len(fields))
	for _, f := range fields {
		c, err := newColumn(f, depth)
		if err != nil {
			return nil, err
		}
		if key := strings.ToLower(c.name); seen[key] {
			return nil, fmt.Errorf("duplicate field name: %s", c.name)
		} else {
			seen[key] = true
		}
		list = append(list, c)
	}
	return list, nil
}

func newColumn(f *bq.TableFieldSchema, depth int) (column, error) {
	c := column{name: f.Name, kind: kinds[strings.ToUpper(f.Type)]}
	switch {
	case c.kind == "":
		return c, fmt.Errorf("field %s: invalid type %q", f.Name, f.Type)
	case !columnName(f.Name):
		return c, fmt.Errorf("invalid field name %q: fields must contain the allowed characters, and be at most %d characters long", f.Name, maxColumnName)
	case utf8.RuneCountInString(f.Description) > maxColumnDescription:
		return c, fmt.Errorf("field %s: description longer than %d characters", f.Name, maxColumnDescription)
	case f.DefaultValueExpression != "":
		return c, fmt.Errorf("field %s: default values are not part of this server", f.Name)
	}
	switch strings.ToUpper(f.Mode) {
	case "", "NULLABLE":
	case "REQUIRED":
		c.required = true
	case "REPEATED":
		c.repeated = true
	default:
		return c, fmt.Errorf("field %s: invalid mode %q", f.Name, f.Mode)
	}
	if (c.kind == "RECORD") != (len(f.Fields) > 0) {
		return c, fmt.Errorf("field %s of type %s: a RECORD has fields, and nothing else has", f.Name, c.kind)
	}
	var err error
	c.fields, err = columns(f.Fields, depth+1)
	return c, err
}

// columnName holds names to what an unquoted column may be called.
func columnName(name string) bool {
	if name == "" || len(name) > maxColumnName {
		return false
	}
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(strings.ToUpper(name), prefix) {
			return false
		}
	}
	return true
}

func find(list []column, name string) (column, bool) {
	for _, c := range list {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return column{}, false
}

// changeable says what is wrong with a change of schema: columns may be added,
// not as required ones; a required one may become nullable; nothing else.
func changeable(before, after []column) error {
	for _, old := range before {
		now, found := find(after, old.name)
		switch {
		case !found:
			return fmt.Errorf("field %s is missing in new schema", old.name)
		case now.kind != old.kind:
			return fmt.Errorf("field %s has changed type from %s to %s", old.name, old.kind, now.kind)
		case now.repeated != old.repeated || now.required && !old.required:
			return fmt.Errorf("field %s has changed mode from %s to %s", old.name, old.mode(), now.mode())
		}
		if err := changeable(old.fields, now.fields); err != nil {
			return err
		}
	}
	for _, c := range after {
		if _, found := find(before, c.name); !found && c.required {
			return fmt.Errorf("cannot add required fields to an existing schema (field: %s)", c.name)
		}
	}
	return nil
}

func (c column) mode() string {
	switch {
	case c.required:
		return "REQUIRED"
	case c.repeated:
		return "REPEATED"
	default:
		return "NULLABLE"
	}
}

// storageKinds are the types as the Storage API names them.
var storageKinds = map[string]storagepb.TableFieldSchema_Type{
	"STRING": storagepb.TableFieldSchema_STRING, "BYTES": storagepb.TableFieldSchema_BYTES, "INTEGER": storagepb.TableFieldSchema_INT64,
	"FLOAT": storagepb.TableFieldSchema_DOUBLE, "BOOLEAN": storagepb.TableFieldSchema_BOOL, "TIMESTAMP": storagepb.TableFieldSchema_TIMESTAMP,
	"DATE": storagepb.TableFieldSchema_DATE, "TIME": storagepb.TableFieldSchema_TIME, "DATETIME": storagepb.TableFieldSchema_DATETIME,
	"GEOGRAPHY": storagepb.TableFieldSchema_GEOGRAPHY, "NUMERIC": storagepb.TableFieldSchema_NUMERIC, "BIGNUMERIC": storagepb.TableFieldSchema_BIGNUMERIC,
	"JSON": storagepb.TableFieldSchema_JSON, "RECORD": storagepb.TableFieldSchema_STRUCT, "INTERVAL": storagepb.TableFieldSchema_INTERVAL,
}

// storageSchema is the schema as the Storage API describes it.
func storageSchema(list []column) []*storagepb.TableFieldSchema {
	fields := make([]*storagepb.TableFieldSchema, len(list))
	for i, c := range list {
		mode := storagepb.TableFieldSchema_NULLABLE
		if c.required {
			mode = storagepb.TableFieldSchema_REQUIRED
		} else if c.repeated {
			mode = storagepb.TableFieldSchema_REPEATED
		}
		fields[i] = &storagepb.TableFieldSchema{Name: c.name, Type: storageKinds[c.kind], Mode: mode, Fields: storageSchema(c.fields)}
	}
	return fields
}
