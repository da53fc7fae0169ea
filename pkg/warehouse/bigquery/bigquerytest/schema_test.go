package bigquerytest_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// request is an append as it goes over the wire.
func request(stream string, d *descriptorpb.DescriptorProto, list ...[]byte) *storagepb.AppendRowsRequest {
	data := &storagepb.AppendRowsRequest_ProtoData{Rows: &storagepb.ProtoRows{SerializedRows: list}}
	if d != nil {
		data.WriterSchema = &storagepb.ProtoSchema{ProtoDescriptor: d}
	}
	return &storagepb.AppendRowsRequest{WriteStream: stream, Rows: &storagepb.AppendRowsRequest_ProtoRows{ProtoRows: data}}
}

// exchange sends a request and waits for its answer.
func exchange(t *testing.T, c storagepb.BigQueryWrite_AppendRowsClient, req *storagepb.AppendRowsRequest) (*storagepb.AppendRowsResponse, error) {
	t.Helper()
	must(t, c.Send(req))
	return c.Recv()
}

func TestFirstRequestNamesStreamAndSchema(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	usual := w.table(tableID) + "/streams/_default"
	t.Run("without a stream ends the connection", func(t *testing.T) {
		_, err := exchange(t, w.connection(), request("", descriptor(), row("x")))
		wantCode(t, err, codes.InvalidArgument, 0)
	})
	t.Run("without a schema ends the connection", func(t *testing.T) {
		_, err := exchange(t, w.connection(), request(usual, nil, row("x")))
		wantCode(t, err, codes.InvalidArgument, 0)
	})
	t.Run("later ones need neither", func(t *testing.T) {
		c := w.connection()
		_, err := exchange(t, c, request(usual, descriptor(), row("a")))
		must(t, err)
		response, err := exchange(t, c, request("", nil, row("b")))
		must(t, err)
		if response.GetError() != nil || response.GetWriteStream() != usual {
			t.Errorf("response %v", response)
		}
	})
	t.Run("a new destination needs a schema", func(t *testing.T) {
		w.makeTable("other")
		c := w.connection()
		_, err := exchange(t, c, request(usual, descriptor(), row("c")))
		must(t, err)
		_, err = exchange(t, c, request(w.table("other")+"/streams/_default", nil, row("x")))
		wantCode(t, err, codes.InvalidArgument, 0)
	})
	t.Run("a new destination is taken between default streams", func(t *testing.T) {
		c := w.connection()
		_, err := exchange(t, c, request(usual, descriptor(), row("d")))
		must(t, err)
		response, err := exchange(t, c, request(w.table("other")+"/streams/_default", descriptor(), row("o")))
		must(t, err)
		if response.GetError() != nil {
			t.Errorf("response %v", response)
		}
	})
	t.Run("an application's stream shares no connection", func(t *testing.T) {
		c := w.connection()
		_, err := exchange(t, c, request(usual, descriptor(), row("e")))
		must(t, err)
		_, err = exchange(t, c, request(w.create(storagepb.WriteStream_COMMITTED), descriptor(), row("x")))
		wantCode(t, err, codes.InvalidArgument, 0)
	})
	t.Run("a request without rows is refused", func(t *testing.T) {
		response, err := exchange(t, w.connection(), request(usual, descriptor()))
		must(t, err)
		if codes.Code(response.GetError().GetCode()) != codes.InvalidArgument {
			t.Errorf("response %v", response)
		}
	})
	t.Run("Arrow rows are not taken", func(t *testing.T) {
		_, err := exchange(t, w.connection(), &storagepb.AppendRowsRequest{WriteStream: usual, Rows: &storagepb.AppendRowsRequest_ArrowRows{ArrowRows: &storagepb.AppendRowsRequest_ArrowData{}}})
		wantCode(t, err, codes.InvalidArgument, 0)
	})
	w.wantIDs("a", "b", "c", "d", "e")
}

func TestWriterSchemaMustFitTheTable(t *testing.T) {
	without := func(name string) *descriptorpb.DescriptorProto {
		d := descriptor()
		for i, f := range d.Field {
			if strings.EqualFold(f.GetName(), name) {
				d.Field = append(d.Field[:i:i], d.Field[i+1:]...)
			}
		}
		return d
	}
	replaced := func(f *descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
		d := without(f.GetName())
		d.Field = append(d.Field, f)
		return d
	}
	elsewhere := field("place", 5, record)
	elsewhere.TypeName = proto.String(".elsewhere.Place")
	for _, c := range []struct {
		name string
		d    *descriptorpb.DescriptorProto
		own  storagepb.StorageError_StorageErrorCode
		says string // of the refusal; "" for none
	}{
		{"all columns", descriptor(), 0, ""},
		{"some columns", without("n"), 0, ""},
		{"names in another letter case", replaced(field("N", 3, whole)), 0, ""},
		{"an int32 for an INTEGER", replaced(field("n", 3, descriptorpb.FieldDescriptorProto_TYPE_INT32)), 0, ""},
		{"a field without a column", descriptor(field("extra", 9, text)), storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS, "extra fields: 'extra'"},
		{"text for a number", replaced(field("n", 3, text)), 0, "mismatched with BigQuery field"},
		{"uint64 for an INTEGER", replaced(field("n", 3, descriptorpb.FieldDescriptorProto_TYPE_UINT64)), 0, "mismatched with BigQuery field"},
		{"text for a TIMESTAMP", replaced(field("at", 2, text)), 0, "mismatched with BigQuery field"},
		{"bytes for a STRING", replaced(field("id", 1, descriptorpb.FieldDescriptorProto_TYPE_BYTES)), 0, "mismatched with BigQuery field"},
		{"text for a RECORD", replaced(field("place", 5, text)), 0, "mismatched with BigQuery field"},
		{"one for REPEATED", replaced(field("tags", 4, text)), 0, "mode REPEATED"},
		{"repeated for NULLABLE", replaced(field("n", 3, whole, repeated)), 0, "mode NULLABLE"},
		{"without a required column", without("id"), 0, "required field 'id' is missing"},
		{"not self-contained", replaced(elsewhere), 0, "Invalid proto schema"},
		{"a number used twice", descriptor(field("extra", 1, text)), 0, "Invalid proto schema"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, bigquerytest.Config{})
			_, err := put(t, w.stream(managedwriter.CommittedStream, managedwriter.WithSchemaDescriptor(c.d)), rows("a"))
			if c.says == "" {
				must(t, err)
				w.wantIDs("a")
				return
			}
			wantCode(t, err, codes.InvalidArgument, c.own)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
			w.wantIDs()
		})
	}
}

// widen adds a column to the table.
func (w *world) widen(name string) {
	w.t.Helper()
	schema := append(append(bigquery.Schema{}, columns...), &bigquery.FieldSchema{Name: name, Type: bigquery.StringFieldType})
	_, err := w.rest.Dataset(dataset).Table(tableID).Update(w.t.Context(), bigquery.TableMetadataToUpdate{Schema: schema}, "")
	must(w.t, err)
}

func TestSchemaChangeIsSentOnce(t *testing.T) {
	wide := descriptor(field("extra", 9, text))
	wideRow := appendText(row("wide"), 9, "more")
	t.Run("a connection is sent the change once", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.CommittedStream)
		var sent []bool
		for _, id := range []string{"a", "b", "c"} {
			if id == "b" {
				w.widen("extra")
			}
			result, err := ms.AppendRows(t.Context(), rows(id))
			must(t, err)
			updated, err := result.UpdatedSchema(t.Context())
			must(t, err)
			sent = append(sent, updated != nil && len(updated.GetFields()) == len(columns)+1)
		}
		if sent[0] || !sent[1] || sent[2] {
			t.Errorf("sent the change: %v, want the second alone", sent)
		}
	})
	t.Run("a default stream takes a new schema on its connection", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		usual := w.table(tableID) + "/streams/_default"
		c := w.connection()
		_, err := exchange(t, c, request(usual, descriptor(), row("a")))
		must(t, err)
		w.widen("extra")
		response, err := exchange(t, c, request("", wide, wideRow))
		must(t, err)
		if response.GetError() != nil {
			t.Errorf("response %v", response)
		}
		w.wantIDs("a", "wide")
	})
	t.Run("an application's stream ignores one until a new connection", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		name := w.create(storagepb.WriteStream_COMMITTED)
		c := w.connection()
		_, err := exchange(t, c, request(name, descriptor(), row("a")))
		must(t, err)
		w.widen("extra")
		response, err := exchange(t, c, request("", wide, wideRow))
		must(t, err)
		if len(response.GetRowErrors()) != 1 {
			t.Errorf("response %v, want a row error", response)
		}
		response, err = exchange(t, w.connection(), request(name, wide, wideRow))
		must(t, err)
		if response.GetError() != nil {
			t.Errorf("response on a new connection %v", response)
		}
		w.wantIDs("a", "wide")
	})
	t.Run("the client reconnects with a new schema", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.CommittedStream)
		_, err := put(t, ms, rows("a"))
		must(t, err)
		w.widen("extra")
		_, err = put(t, ms, [][]byte{wideRow}, managedwriter.UpdateSchemaDescriptor(wide))
		must(t, err)
		w.wantIDs("a", "wide")
		if n := w.server.Counts().Connections; n != 2 {
			t.Errorf("%d connections, want 2", n)
		}
	})
	t.Run("a column that was dropped is an extra field", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		if !w.server.Store().DropColumn(dataset, tableID, "n") {
			t.Fatal("no column n")
		}
		_, err := put(t, w.stream(managedwriter.CommittedStream), rows("x"))
		wantCode(t, err, codes.InvalidArgument, storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS)
		w.wantIDs()
	})
}
