package http

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

var errSize = errors.New("larger than a request")

// maxValueDepth bounds the nesting of what a program gives.
const maxValueDepth = 1000

// appendValue appends what a program gave as compact JSON, members sorted by
// name, or fails as soon as it is longer than limit: a value of few steps can
// share its parts and be endless when it is written.
func appendValue(b []byte, v any, limit, depth int) ([]byte, error) {
	if len(b) > limit || depth > maxValueDepth {
		return b, errSize
	}
	switch v := v.(type) {
	case nil:
		b = append(b, "null"...)
	case bool:
		b = strconv.AppendBool(b, v)
	case int:
		b = strconv.AppendInt(b, int64(v), 10)
	case float64:
		b = appendFloat(b, v)
	case *big.Int:
		b = v.Append(b, 10)
	case json.Number:
		b = append(b, v...)
	case string:
		b = event.AppendQuoted(b, v)
	case []any:
		return appendArray(b, v, limit, depth)
	case map[string]any:
		return appendObject(b, v, limit, depth)
	default:
		return b, errors.New("not JSON")
	}
	if len(b) > limit {
		return b, errSize
	}
	return b, nil
}

// appendFloat writes the shortest digits that mean v. A value that JSON
// cannot express is written as jq does.
func appendFloat(b []byte, v float64) []byte {
	if math.IsNaN(v) {
		return append(b, "null"...)
	}
	v = min(max(v, -math.MaxFloat64), math.MaxFloat64)
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}

func appendArray(b []byte, list []any, limit, depth int) ([]byte, error) {
	var err error
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, v, limit, depth+1); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, members map[string]any, limit, depth int) ([]byte, error) {
	var err error
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(event.AppendQuoted(b, name), ':')
		if b, err = appendValue(b, members[name], limit, depth+1); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}
