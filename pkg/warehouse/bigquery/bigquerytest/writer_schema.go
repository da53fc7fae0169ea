package bigquerytest

import (
	"strings"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// message builds the type of a writer's rows from the descriptor that the
// writer gave. It must be self-contained; only the well-known types that
// BigQuery takes may be named from outside.
func message(given *descriptorpb.DescriptorProto, entity string) (protoreflect.MessageDescriptor, *status.Status) {
	if given == nil {
		return nil, refuse(codes.InvalidArgument, entity, "Invalid proto schema: no proto_descriptor in the writer_schema.")
	}
	d := proto.CloneOf(given)
	withoutPresence(d)
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("writer_schema.proto"), Syntax: proto.String("proto2"),
		Dependency: []string{
			wrapperspb.File_google_protobuf_wrappers_proto.Path(), timestamppb.File_google_protobuf_timestamp_proto.Path(), durationpb.File_google_protobuf_duration_proto.Path(),
		},
		MessageType: []*descriptorpb.DescriptorProto{d},
	}, protoregistry.GlobalFiles)
	if err != nil {
		return nil, refuse(codes.InvalidArgument, entity, "Invalid proto schema: %v.", err)
	}
	return file.Messages().Get(0), nil
}

// withoutPresence drops what proto3's optional fields are declared with; rows
// are read as proto2, whose fields have presence anyway.
func withoutPresence(d *descriptorpb.DescriptorProto) {
	for _, f := range d.Field {
		if f.GetProto3Optional() {
			f.Proto3Optional, f.OneofIndex = nil, nil
		}
	}
	used := false
	for _, f := range d.Field {
		used = used || f.OneofIndex != nil
	}
	if !used {
		d.OneofDecl = nil
	}
	for _, nested := range d.NestedType {
		withoutPresence(nested)
	}
}

// columnOf is the name of the column that a field writes to: its own, or that of
// the column_name annotation, for columns whose names no field can have.
func columnOf(f protoreflect.FieldDescriptor) string {
	if name, ok := proto.GetExtension(f.Options(), storagepb.E_ColumnName).(string); ok && name != "" {
		return name
	}
	return string(f.Name())
}

// fit holds a writer's message to a table's columns, and plans how its rows are
// to be checked.
func fit(m protoreflect.MessageDescriptor, list []column, entity string) (*rowPlan, *status.Status) {
	plan := &rowPlan{fields: map[protoreflect.FieldNumber]*fieldPlan{}}
	var extra []string
	present := map[string]bool{}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		c, found := find(list, columnOf(f))
		if !found {
			extra = append(extra, "'"+columnOf(f)+"'")
			continue
		}
		present[strings.ToLower(c.name)] = true
		field, st := fitField(f, c, entity)
		if st != nil {
			return nil, st
		}
		if c.required || f.Cardinality() == protoreflect.Required {
			field.required = len(plan.required) + 1
			plan.required = append(plan.required, c.name)
		}
		plan.fields[f.Number()] = field
	}
	if len(extra) > 0 {
		return nil, storageError(codes.InvalidArgument, storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS, entity,
			"Input schema has more fields than BigQuery schema, extra fields: %s", strings.Join(extra, ","))
	}
	for _, c := range list {
		if c.required && !present[strings.ToLower(c.name)] {
			return nil, refuse(codes.InvalidArgument, entity, "The required field '%s' is missing in the proto schema.", c.name)
		}
	}
	plan.index()
	return plan, nil
}

func fitField(f protoreflect.FieldDescriptor, c column, entity string) (*fieldPlan, *status.Status) {
	if f.IsList() != c.repeated || f.IsMap() {
		return nil, refuse(codes.InvalidArgument, entity, "The proto field mismatched with BigQuery field at %s, the proto field label %s, BigQuery field mode %s",
			f.FullName(), f.Cardinality(), c.mode())
	}
	if !accepts(c.kind, f) {
		return nil, refuse(codes.InvalidArgument, entity, "The proto field mismatched with BigQuery field at %s, the proto field type %s, BigQuery field type %s",
			f.FullName(), f.Kind(), c.kind)
	}
	plan := &fieldPlan{column: c, kind: f.Kind(), repeated: f.IsList(), wire: wireType(f.Kind())}
	switch {
	case c.kind == "RECORD":
		nested, st := fit(f.Message(), c.fields, entity)
		if st != nil {
			return nil, st
		}
		plan.nested = nested
	case f.Kind() == protoreflect.MessageKind:
		plan.nested = wellKnown(f.Message())
	}
	return plan, nil
}

// scalars are the protocol buffer types that each type of column takes:
// "Supported protocol buffer and Arrow data types".
var scalars = map[string][]protoreflect.Kind{
	"BOOLEAN":    append([]protoreflect.Kind{protoreflect.BoolKind}, integers...),
	"BYTES":      {protoreflect.BytesKind, protoreflect.StringKind},
	"DATE":       append([]protoreflect.Kind{protoreflect.StringKind}, signed...),
	"DATETIME":   append([]protoreflect.Kind{protoreflect.StringKind}, signed64...),
	"TIME":       append([]protoreflect.Kind{protoreflect.StringKind}, signed64...),
	"FLOAT":      {protoreflect.DoubleKind, protoreflect.FloatKind},
	"GEOGRAPHY":  {protoreflect.StringKind},
	"INTEGER":    append(append([]protoreflect.Kind{protoreflect.EnumKind}, signed...), unsigned32...),
	"INTERVAL":   {protoreflect.StringKind},
	"JSON":       {protoreflect.StringKind},
	"NUMERIC":    append([]protoreflect.Kind{protoreflect.StringKind, protoreflect.BytesKind, protoreflect.DoubleKind, protoreflect.FloatKind}, integers...),
	"BIGNUMERIC": append([]protoreflect.Kind{protoreflect.StringKind, protoreflect.BytesKind, protoreflect.DoubleKind, protoreflect.FloatKind}, integers...),
	"STRING":     {protoreflect.StringKind, protoreflect.EnumKind},
	"TIMESTAMP":  append(append([]protoreflect.Kind{}, signed...), unsigned32...),
}

var (
	signed64   = []protoreflect.Kind{protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind}
	signed     = append([]protoreflect.Kind{protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind}, signed64...)
	unsigned32 = []protoreflect.Kind{protoreflect.Uint32Kind, protoreflect.Fixed32Kind}
	integers   = append(append([]protoreflect.Kind{protoreflect.Uint64Kind, protoreflect.Fixed64Kind}, signed...), unsigned32...)
)

// messages are the well-known types that each type of column takes.
var messages = map[string][]protoreflect.FullName{
	"BOOLEAN": {"google.protobuf.BoolValue"}, "BYTES": {"google.protobuf.BytesValue"}, "STRING": {"google.protobuf.StringValue"},
	"FLOAT":     {"google.protobuf.DoubleValue", "google.protobuf.FloatValue"},
	"INTEGER":   {"google.protobuf.Int32Value", "google.protobuf.Int64Value", "google.protobuf.UInt32Value"},
	"TIMESTAMP": {"google.protobuf.Timestamp"}, "INTERVAL": {"google.protobuf.Duration"},
}

func accepts(kind string, f protoreflect.FieldDescriptor) bool {
	if f.Kind() == protoreflect.MessageKind {
		if kind == "RECORD" {
			return f.Message().ParentFile().Path() == "writer_schema.proto"
		}
		for _, name := range messages[kind] {
			if f.Message().FullName() == name {
				return true
			}
		}
		return false
	}
	for _, k := range scalars[kind] {
		if f.Kind() == k {
			return true
		}
	}
	return false
}
