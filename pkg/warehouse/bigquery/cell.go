package bigquery

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/civil"

	rest "cloud.google.com/go/bigquery"
)

// Decimals of NUMERIC and BIGNUMERIC.
const (
	numericScale    = 9
	bigNumericScale = 38
)

func columnType(f *rest.FieldSchema) string {
	if f.Repeated {
		return "ARRAY<" + string(f.Type) + ">"
	}
	return string(f.Type)
}

// cell converts a value to what warehouse.Result holds.
func cell(v rest.Value, f *rest.FieldSchema) any {
	switch v := v.(type) {
	case nil, bool, string:
		return v
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case float64:
		return float(v)
	case *big.Rat:
		return decimal(v, f.Type)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case civil.DateTime:
		return v.In(time.UTC).Format(time.RFC3339Nano)
	case []rest.Value:
		return nested(v, f)
	default: // a date or time of day among others
		return fmt.Sprint(v)
	}
}

// float is exact text. A whole number keeps its point, as in DuckDB.
func float(v float64) any {
	text := strconv.FormatFloat(v, 'g', -1, 64)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(text, "+"))
	case !strings.ContainsAny(text, ".e"):
		text += ".0"
	}
	return json.Number(text)
}

// decimal has nine decimals for a NUMERIC, and as many as needed for a BIGNUMERIC.
func decimal(v *big.Rat, kind rest.FieldType) json.Number {
	if kind == rest.NumericFieldType {
		return json.Number(v.FloatString(numericScale))
	}
	text := v.FloatString(bigNumericScale)
	return json.Number(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}

// nested is an array or a record as JSON.
func nested(values []rest.Value, f *rest.FieldSchema) any {
	element := *f
	element.Repeated = false
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = cell(v, &element)
	}
	var whole any = list
	if !f.Repeated && f.Type == rest.RecordFieldType && len(f.Schema) == len(values) {
		record := map[string]any{}
		for i, v := range values {
			record[f.Schema[i].Name] = cell(v, f.Schema[i])
		}
		whole = record
	}
	encoded, err := json.Marshal(whole)
	if err != nil {
		return fmt.Sprint(values)
	}
	return string(encoded)
}
