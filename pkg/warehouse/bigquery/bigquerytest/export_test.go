package bigquerytest

import (
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	bq "google.golang.org/api/bigquery/v2"
)

// Checker checks the rows of a writer as the server does.
type Checker struct {
	plan    *rowPlan
	Message protoreflect.MessageDescriptor
}

// NewChecker holds a descriptor to a schema.
func NewChecker(d *descriptorpb.DescriptorProto, schema []*bq.TableFieldSchema) (*Checker, error) {
	list, err := columns(schema, 1)
	if err != nil {
		return nil, err
	}
	m, st := message((&storagepb.ProtoSchema{ProtoDescriptor: d}).GetProtoDescriptor(), "")
	if st != nil {
		return nil, st.Err()
	}
	plan, st := fit(m, list, "")
	return &Checker{plan, m}, st.Err()
}

// Check says what is wrong with a row.
func (c *Checker) Check(row []byte) error { return c.plan.check(row) }

// Values decodes a row that was checked.
func (c *Checker) Values(row []byte) (map[string]any, error) { return c.plan.values(row, nil) }

// ReadBack answers a query of the adapter over rows, whose columns are in lower
// case.
func ReadBack(query string, rows []map[string]any, parameters map[string]any) ([][]any, error) {
	q, _, err := findReadBack(query)
	if err != nil {
		return nil, err
	}
	list := make([]values, len(rows))
	for i, row := range rows {
		list[i] = row
	}
	return q.answer(list, parameters), nil
}
