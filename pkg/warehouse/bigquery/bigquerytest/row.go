package bigquerytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// rowPlan says how the rows of a writer are checked and read: it walks the wire
// format once, which takes a tenth of the time of decoding into a message. A
// test holds it to what package dynamicpb says of the same bytes.
type rowPlan struct {
	fields   map[protoreflect.FieldNumber]*fieldPlan
	low      [64]*fieldPlan // fields by number, for the usual ones
	required []string
}

type fieldPlan struct {
	column   column
	kind     protoreflect.Kind
	wire     protowire.Type
	repeated bool
	required int // place in the plan's required fields, from 1; 0: may be missing
	nested   *rowPlan
	days     *days // of the column that partitions the table
}

// days are those whose partitions take rows, counted since 1970.
type days struct{ first, last int64 }

// Rows are taken for partitions so many days back and ahead: "Streaming data
// into BigQuery", time-unit column-partitioned tables.
const daysBack, daysAhead = 1825, 366

// bound holds rows to the partitions that take them now.
func (p *rowPlan) bound(partition string, now time.Time) {
	for _, f := range p.fields {
		if partition != "" && strings.EqualFold(f.column.name, partition) {
			today := now.Unix() / 86400
			f.days = &days{today - daysBack, today + daysAhead}
		}
	}
}

// refuse says that a day's partition takes no rows.
func (d *days) refuse(day int64) error {
	if d == nil || day >= d.first && day <= d.last {
		return nil
	}
	return fmt.Errorf("the destination table's partition $%s is outside the allowed bounds. You can only stream to partitions within %d days in the past and %d days in the future relative to the current date",
		time.Unix(day*86400, 0).UTC().Format("20060102"), daysBack, daysAhead)
}

func (p *rowPlan) index() {
	for number, f := range p.fields {
		if int(number) < len(p.low) {
			p.low[number] = f
		}
	}
}

func (p *rowPlan) field(number protowire.Number) *fieldPlan {
	if int(number) < len(p.low) && number > 0 {
		return p.low[number]
	}
	return p.fields[number]
}

var errWire = errors.New("the row is no protocol buffer message of the writer's schema")

// visit is called for each value of a row; raw is a varint or fixed value, text
// what has a length.
type visit func(f *fieldPlan, number uint64, text []byte) error

// walk reads a row, or a record in it, and calls visit for its values, records
// excepted: nested is called for those.
func (p *rowPlan) walk(row []byte, value visit, nested func(f *fieldPlan, record []byte) error) error {
	var seen uint64
	missing := map[int]bool(nil)
	for len(row) > 0 {
		number, wire, n := protowire.ConsumeTag(row)
		if n < 0 {
			return errWire
		}
		row = row[n:]
		f := p.field(number)
		if f == nil {
			return fmt.Errorf("field number %d is not in the writer's schema", number)
		}
		n, err := f.consume(row, wire, value, nested)
		if err != nil {
			return err
		}
		row = row[n:]
		if f.required > 64 {
			if missing == nil {
				missing = map[int]bool{}
			}
			missing[f.required] = true
		} else if f.required > 0 {
			seen |= 1 << (f.required - 1)
		}
	}
	for i, name := range p.required {
		if i < 64 && seen&(1<<i) == 0 || i >= 64 && !missing[i+1] {
			return fmt.Errorf("field %s: required and missing", name)
		}
	}
	return nil
}

// consume reads one occurrence of the field and returns its length.
func (f *fieldPlan) consume(row []byte, wire protowire.Type, value visit, nested func(*fieldPlan, []byte) error) (int, error) {
	if wire == protowire.BytesType && f.wire != protowire.BytesType && f.repeated {
		return f.packed(row, value)
	}
	if wire != f.wire {
		return 0, fmt.Errorf("field %s: wire type %d where the writer's schema has %s", f.column.name, wire, f.kind)
	}
	if wire == protowire.BytesType {
		text, n := protowire.ConsumeBytes(row)
		if n < 0 {
			return 0, errWire
		}
		if f.nested != nil {
			return n, nested(f, text)
		}
		return n, value(f, 0, text)
	}
	number, n := consumeNumber(row, wire)
	if n < 0 {
		return 0, errWire
	}
	return n, value(f, number, nil)
}

// packed reads a list of numbers.
func (f *fieldPlan) packed(row []byte, value visit) (int, error) {
	list, n := protowire.ConsumeBytes(row)
	if n < 0 {
		return 0, errWire
	}
	for len(list) > 0 {
		number, m := consumeNumber(list, f.wire)
		if m < 0 {
			return 0, errWire
		}
		if err := value(f, number, nil); err != nil {
			return 0, err
		}
		list = list[m:]
	}
	return n, nil
}

func consumeNumber(b []byte, wire protowire.Type) (number uint64, n int) {
	switch wire {
	case protowire.VarintType:
		return protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		return protowire.ConsumeFixed64(b)
	case protowire.Fixed32Type:
		fixed, n := protowire.ConsumeFixed32(b)
		return uint64(fixed), n
	default:
		return 0, -1
	}
}

// check says what is wrong with a row.
func (p *rowPlan) check(row []byte) error {
	return p.walk(row, checkValue, func(f *fieldPlan, record []byte) error {
		if err := f.nested.check(record); err != nil {
			return fmt.Errorf("field %s: %w", f.column.name, err)
		}
		return nil
	})
}

// Ranges of BigQuery's types: 0001-01-01 to 9999-12-31.
const (
	firstDay, lastDay         = -719162, 2932896
	firstInstant, lastInstant = int64(firstDay) * 86400e6, (int64(lastDay)+1)*86400e6 - 1
)

func checkValue(f *fieldPlan, number uint64, text []byte) error {
	name := f.column.name
	switch f.column.kind {
	case "STRING", "GEOGRAPHY":
		if text != nil && !utf8.Valid(text) {
			return fmt.Errorf("field %s: invalid UTF-8", name)
		}
	case "JSON":
		if !json.Valid(text) {
			return fmt.Errorf("field %s: invalid JSON", name)
		}
	case "DATE":
		day := f.signed(number)
		if text != nil {
			date, err := time.Parse(time.DateOnly, string(text))
			if err != nil {
				return fmt.Errorf("field %s: invalid date", name)
			}
			day = date.Unix() / 86400
		}
		if day < firstDay || day > lastDay {
			return fmt.Errorf("field %s: date out of range: %d", name, day)
		}
		return f.days.refuse(day)
	case "TIMESTAMP":
		at := f.signed(number)
		if at < firstInstant || at > lastInstant {
			return fmt.Errorf("field %s: timestamp out of range: %d", name, at)
		}
		return f.days.refuse(floorDiv(at, 86400e6))
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// signed is the number of a varint or fixed field, by its kind.
func (f *fieldPlan) signed(number uint64) int64 {
	switch f.kind {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.DecodeZigZag(number)
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind, protoreflect.EnumKind:
		return int64(int32(number))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return int64(uint32(number))
	default:
		return int64(number)
	}
}

func wireType(kind protoreflect.Kind) protowire.Type {
	switch kind {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	default:
		return protowire.VarintType
	}
}

// wellKnown plans a value in a message of its own, such as Int64Value.
func wellKnown(m protoreflect.MessageDescriptor) *rowPlan {
	plan := &rowPlan{fields: map[protoreflect.FieldNumber]*fieldPlan{}}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		kind := ""
		if f.Kind() == protoreflect.StringKind {
			kind = "STRING"
		}
		plan.fields[f.Number()] = &fieldPlan{column: column{name: string(f.Name()), kind: kind}, kind: f.Kind(), wire: wireType(f.Kind())}
	}
	plan.index()
	return plan
}
