package bigquery

import (
	"time"

	rest "cloud.google.com/go/bigquery"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// wireTypes are the protocol buffer types that BigQuery accepts for each type.
var wireTypes = map[rest.FieldType]descriptorpb.FieldDescriptorProto_Type{
	rest.StringFieldType:    descriptorpb.FieldDescriptorProto_TYPE_STRING,
	rest.IntegerFieldType:   descriptorpb.FieldDescriptorProto_TYPE_INT64,
	rest.BooleanFieldType:   descriptorpb.FieldDescriptorProto_TYPE_BOOL,
	rest.DateFieldType:      descriptorpb.FieldDescriptorProto_TYPE_INT32, // days since 1970
	rest.TimestampFieldType: descriptorpb.FieldDescriptorProto_TYPE_INT64, // microseconds since 1970
}

// descriptor describes a table's rows as a protocol buffer message: the columns
// in their order, numbered from 1.
func (t *table) descriptor() *descriptorpb.DescriptorProto {
	d := &descriptorpb.DescriptorProto{Name: proto.String("Row")}
	for i, c := range t.columns {
		d.Field = append(d.Field, &descriptorpb.FieldDescriptorProto{
			Name:   proto.String(c.name),
			Number: proto.Int32(int32(i + 1)),
			Type:   wireTypes[c.kind].Enum(),
			Label:  descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		})
	}
	return d
}

// encoder writes a row's columns in their order. Skipping one leaves it NULL.
type encoder struct {
	row  []byte
	next protowire.Number
}

func newEncoder(size int) *encoder { return &encoder{row: make([]byte, 0, size)} }

func (e *encoder) text(list ...string) *encoder {
	for _, s := range list {
		e.next++
		e.row = protowire.AppendTag(e.row, e.next, protowire.BytesType)
		e.row = protowire.AppendString(e.row, s)
	}
	return e
}

func (e *encoder) number(list ...int64) *encoder {
	for _, n := range list {
		e.next++
		e.row = protowire.AppendTag(e.row, e.next, protowire.VarintType)
		e.row = protowire.AppendVarint(e.row, uint64(n))
	}
	return e
}

func (e *encoder) flag(b bool) *encoder { return e.number(int64(protowire.EncodeBool(b))) }

func (e *encoder) instant(t time.Time) *encoder { return e.number(t.UnixMicro()) }

func (e *encoder) date(t time.Time) *encoder {
	return e.number(t.UTC().Truncate(24*time.Hour).Unix() / 86400)
}

// textIf writes s, or NULL if there is none.
func (e *encoder) textIf(there bool, s string) *encoder {
	if there {
		return e.text(s)
	}
	e.next++
	return e
}

// numberIf writes n, or NULL if there is none.
func (e *encoder) numberIf(there bool, n int64) *encoder {
	if there {
		return e.number(n)
	}
	e.next++
	return e
}
