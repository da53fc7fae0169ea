package bigquerytest_test

import (
	"errors"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// plainChecker checks rows of columns whose types refuse no value, so that only
// the wire format counts.
func plainChecker(t testing.TB) *bigquerytest.Checker {
	t.Helper()
	required := field("id", 1, descriptorpb.FieldDescriptorProto_TYPE_BYTES, descriptorpb.FieldDescriptorProto_LABEL_REQUIRED)
	nested := field("place", 5, record)
	nested.TypeName = proto.String(".Row.Place")
	checker, err := bigquerytest.NewChecker(&descriptorpb.DescriptorProto{
		Name: proto.String("Row"),
		Field: []*descriptorpb.FieldDescriptorProto{
			required, field("n", 2, whole), field("list", 3, whole, repeated), field("yes", 4, boolean), nested,
			field("real", 70, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE), field("small", 71, descriptorpb.FieldDescriptorProto_TYPE_SFIXED32),
		},
		NestedType: []*descriptorpb.DescriptorProto{{Name: proto.String("Place"), Field: []*descriptorpb.FieldDescriptorProto{field("city", 1, descriptorpb.FieldDescriptorProto_TYPE_BYTES)}}},
	}, []*bq.TableFieldSchema{
		{Name: "id", Type: "BYTES"}, {Name: "n", Type: "INT64"}, {Name: "list", Type: "INT64", Mode: "REPEATED"}, {Name: "yes", Type: "BOOL"},
		{Name: "place", Type: "STRUCT", Fields: []*bq.TableFieldSchema{{Name: "city", Type: "BYTES"}}},
		{Name: "real", Type: "FLOAT64"}, {Name: "small", Type: "INT64"},
	})
	must(t, err)
	return checker
}

// FuzzRow: a row is taken if and only if package dynamicpb decodes it without
// anything left over, and it has the same values.
func FuzzRow(f *testing.F) {
	checker := plainChecker(f)
	sound := appendText(nil, 1, "x")
	f.Add(sound)
	f.Add(appendNumber(sound, 2, -1))
	f.Add(appendText(appendNumber(sound, 3, 5), 3, "\x01\x02\x96\x01"))
	f.Add(appendText(sound, 5, string(appendText(nil, 1, "Bern"))))
	f.Add(append(sound, 0x93, 0x04))
	f.Add(append(appendNumber(sound, 4, 2), 0xb1, 0x04, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0xbd, 0x04, 1, 2, 3, 0xff))
	f.Add(appendNumber(nil, 1, 1))
	f.Fuzz(func(t *testing.T, row []byte) {
		m := dynamicpb.NewMessage(checker.Message)
		want := proto.Unmarshal(row, m)
		if want == nil && leftOver(m) {
			want = errors.New("unknown fields")
		}
		got := checker.Check(row)
		if (got == nil) != (want == nil) {
			t.Fatalf("check says %v, dynamicpb %v", got, want)
		}
		if got != nil {
			return
		}
		values, err := checker.Values(row)
		must(t, err)
		fields := checker.Message.Fields()
		if n, _ := values["n"].(int64); n != m.Get(fields.ByName("n")).Int() {
			t.Errorf("n %v, want %v", n, m.Get(fields.ByName("n")))
		}
		if n, _ := values["small"].(int64); values["small"] != nil && n != m.Get(fields.ByName("small")).Int() {
			t.Errorf("small %v, want %v", n, m.Get(fields.ByName("small")))
		}
		if list, _ := values["list"].([]any); len(list) != m.Get(fields.ByName("list")).List().Len() {
			t.Errorf("list %v, want %v", list, m.Get(fields.ByName("list")))
		}
		if id, _ := values["id"].([]byte); string(id) != string(m.Get(fields.ByName("id")).Bytes()) {
			t.Errorf("id %q, want %q", id, m.Get(fields.ByName("id")).Bytes())
		}
	})
}

// leftOver reports whether a message holds bytes of no field.
func leftOver(m protoreflect.Message) bool {
	if len(m.GetUnknown()) > 0 {
		return true
	}
	found := false
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		found = found || f.Kind() == protoreflect.MessageKind && leftOver(v.Message())
		return true
	})
	return found
}
