package bigquerytest

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Row is a row that was committed.
type Row struct {
	// Stream that it was appended to, and its offset there; -1 in a default stream.
	Stream string
	Offset int64
	// Committed is when it became part of the table.
	Committed time.Time
	// Values by column: string, []byte, int64, float64, bool, time.Time (UTC, of
	// a TIMESTAMP or DATE), map[string]any (a RECORD) or []any (REPEATED). A
	// column that is NULL is not there.
	Values map[string]any
}

// values decodes a row that was checked: its wanted columns, nil for all.
func (p *rowPlan) values(row []byte, wanted map[string]bool) (map[string]any, error) {
	list := make(map[string]any, len(p.fields))
	skip := func(f *fieldPlan) bool { return wanted != nil && !wanted[strings.ToLower(f.column.name)] }
	put := func(f *fieldPlan, v any) {
		if f.repeated {
			before, _ := list[f.column.name].([]any)
			list[f.column.name] = append(before, v)
			return
		}
		list[f.column.name] = v
	}
	err := p.walk(row, func(f *fieldPlan, number uint64, text []byte) error {
		if !skip(f) {
			put(f, f.value(number, text))
		}
		return nil
	}, func(f *fieldPlan, record []byte) error {
		if skip(f) {
			return nil
		}
		inner, err := f.nested.values(record, nil)
		if err != nil {
			return err
		}
		if f.column.kind == "RECORD" {
			put(f, inner)
		} else {
			put(f, f.wrapped(inner))
		}
		return nil
	})
	return list, err
}

// value is one value in the type that its column has.
func (f *fieldPlan) value(number uint64, text []byte) any {
	if text != nil {
		switch {
		case f.column.kind == "DATE":
			day, _ := time.Parse(time.DateOnly, string(text)) // it was checked
			return day
		case f.kind == protoreflect.BytesKind:
			return append([]byte(nil), text...)
		default:
			return string(text)
		}
	}
	switch {
	case f.kind == protoreflect.DoubleKind:
		return math.Float64frombits(number)
	case f.kind == protoreflect.FloatKind:
		return float64(math.Float32frombits(uint32(number)))
	case f.kind == protoreflect.BoolKind || f.column.kind == "BOOLEAN":
		return number != 0
	case f.column.kind == "TIMESTAMP":
		return time.UnixMicro(f.signed(number)).UTC()
	case f.column.kind == "DATE":
		return time.Unix(f.signed(number)*86400, 0).UTC()
	default:
		return f.signed(number)
	}
}

// wrapped is the value of a well-known type; of one without a value, the zero.
func (f *fieldPlan) wrapped(inner map[string]any) any {
	switch f.column.kind {
	case "TIMESTAMP":
		seconds, _ := inner["seconds"].(int64)
		nanos, _ := inner["nanos"].(int64)
		return time.Unix(seconds, nanos).UTC()
	case "INTERVAL":
		return inner
	}
	if v, found := inner["value"]; found {
		return v
	}
	switch f.column.kind {
	case "STRING":
		return ""
	case "BYTES":
		return []byte{}
	case "FLOAT":
		return 0.0
	case "BOOLEAN":
		return false
	default:
		return int64(0)
	}
}

// text is the value of one text column of a row; false when it is NULL.
func (p *rowPlan) text(row []byte, column string) (value string, found bool, err error) {
	err = p.walk(row, func(f *fieldPlan, _ uint64, text []byte) error {
		if f.column.name == column && text != nil {
			value, found = string(text), true
		}
		return nil
	}, func(*fieldPlan, []byte) error { return nil })
	return value, found, err
}

// appendFrame adds a length and bytes.
func appendFrame(b, row []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(row)))
	return append(b, row...)
}
