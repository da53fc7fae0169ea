package bigquerytest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	control "cloud.google.com/go/bigquery/storage/apiv1"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

const dataset, tableID = "d", "raw"

// world is a server with a table, and the real clients of it.
type world struct {
	t      testing.TB
	server *bigquerytest.Server
	rest   *bigquery.Client
	raw    *control.BigQueryWriteClient
	writer *managedwriter.Client
}

// columns of the table: id is required, tags is repeated, at partitions it.
var columns = bigquery.Schema{
	{Name: "id", Type: bigquery.StringFieldType, Required: true},
	{Name: "at", Type: bigquery.TimestampFieldType},
	{Name: "n", Type: bigquery.IntegerFieldType},
	{Name: "tags", Type: bigquery.StringFieldType, Repeated: true},
	{Name: "place", Type: bigquery.RecordFieldType, Schema: bigquery.Schema{{Name: "city", Type: bigquery.StringFieldType}}},
}

func newWorld(t testing.TB, config bigquerytest.Config) *world {
	t.Helper()
	config.Anonymous = true
	w := &world{t: t, server: bigquerytest.Start(t, config)}
	w.connect()
	must(t, w.rest.Dataset(dataset).Create(t.Context(), &bigquery.DatasetMetadata{Location: "EU"}))
	w.makeTable(tableID)
	return w
}

func (w *world) makeTable(id string) {
	w.t.Helper()
	must(w.t, w.rest.Dataset(dataset).Table(id).Create(w.t.Context(), &bigquery.TableMetadata{
		Schema: columns, TimePartitioning: &bigquery.TimePartitioning{Type: bigquery.DayPartitioningType, Field: "at"},
	}))
}

func (w *world) connect() {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	grpcOptions := []option.ClientOption{
		option.WithEndpoint(w.server.GRPCAddress()), option.WithoutAuthentication(), option.WithGRPCConnectionPool(1),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
	var err error
	w.rest, err = bigquery.NewClient(ctx, w.server.Project(), option.WithEndpoint(w.server.URL()+"/bigquery/v2/"), option.WithoutAuthentication())
	must(w.t, err)
	w.raw, err = control.NewBigQueryWriteClient(ctx, grpcOptions...)
	must(w.t, err)
	w.writer, err = managedwriter.NewClient(ctx, w.server.Project(), grpcOptions...)
	must(w.t, err)
	w.t.Cleanup(func() {
		_ = w.writer.Close()
		_ = w.raw.Close()
		_ = w.rest.Close()
	})
}

func (w *world) table(id string) string {
	return managedwriter.TableParentFromParts(w.server.Project(), dataset, id)
}

// stream makes a stream of a kind and connects to it.
func (w *world) stream(kind managedwriter.StreamType, options ...managedwriter.WriterOption) *managedwriter.ManagedStream {
	w.t.Helper()
	options = append([]managedwriter.WriterOption{
		managedwriter.WithDestinationTable(w.table(tableID)), managedwriter.WithType(kind), managedwriter.WithSchemaDescriptor(descriptor()),
	}, options...)
	ms, err := w.writer.NewManagedStream(context.WithoutCancel(w.t.Context()), options...)
	must(w.t, err)
	w.t.Cleanup(func() { _ = ms.Close() })
	return ms
}

// connection opens AppendRows without the client's help.
func (w *world) connection() storagepb.BigQueryWrite_AppendRowsClient {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	w.t.Cleanup(cancel)
	c, err := w.raw.AppendRows(ctx)
	must(w.t, err)
	return c
}

func (w *world) create(kind storagepb.WriteStream_Type) string {
	w.t.Helper()
	made, err := w.raw.CreateWriteStream(w.t.Context(), &storagepb.CreateWriteStreamRequest{Parent: w.table(tableID), WriteStream: &storagepb.WriteStream{Type: kind}})
	must(w.t, err)
	return made.GetName()
}

// ids are the committed rows' ids, in order.
func (w *world) ids() []string {
	w.t.Helper()
	list := []string{}
	for id, err := range w.server.Store().Texts(dataset, tableID, "id") {
		must(w.t, err)
		list = append(list, id)
	}
	return list
}

func (w *world) wantIDs(want ...string) {
	w.t.Helper()
	if got := w.ids(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("committed rows %v, want %v", got, want)
	}
}

// field describes a field of the writer's message.
func field(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, label ...descriptorpb.FieldDescriptorProto_Label) *descriptorpb.FieldDescriptorProto {
	l := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	if len(label) > 0 {
		l = label[0]
	}
	return &descriptorpb.FieldDescriptorProto{Name: proto.String(name), Number: proto.Int32(number), Type: kind.Enum(), Label: l.Enum()}
}

const (
	text     = descriptorpb.FieldDescriptorProto_TYPE_STRING
	whole    = descriptorpb.FieldDescriptorProto_TYPE_INT64
	boolean  = descriptorpb.FieldDescriptorProto_TYPE_BOOL
	record   = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	repeated = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
)

func descriptor(more ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
	place := field("place", 5, record)
	place.TypeName = proto.String(".Row.Place")
	return &descriptorpb.DescriptorProto{
		Name:       proto.String("Row"),
		Field:      append([]*descriptorpb.FieldDescriptorProto{field("id", 1, text), field("at", 2, whole), field("n", 3, whole), field("tags", 4, text, repeated), place}, more...),
		NestedType: []*descriptorpb.DescriptorProto{{Name: proto.String("Place"), Field: []*descriptorpb.FieldDescriptorProto{field("city", 1, text)}}},
	}
}

// row is a sound row.
func row(id string) []byte { return appendText(nil, 1, id) }

func rows(ids ...string) [][]byte {
	list := make([][]byte, len(ids))
	for i, id := range ids {
		list[i] = row(id)
	}
	return list
}

func appendText(b []byte, number protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
}

func appendNumber(b []byte, number protowire.Number, n int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(n))
}

// put appends rows and waits for the answer.
func put(t testing.TB, ms *managedwriter.ManagedStream, list [][]byte, options ...managedwriter.AppendOption) (int64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	result, err := ms.AppendRows(ctx, list, options...)
	if err != nil {
		return 0, err
	}
	return result.GetResult(ctx)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode checks an error's code and, unless it is 0, the service's own.
func wantCode(t testing.TB, err error, code codes.Code, own storagepb.StorageError_StorageErrorCode) {
	t.Helper()
	if got := codeOf(err); got != code {
		t.Errorf("error %v: code %v, want %v", err, got, code)
	}
	if got := ownCode(err); own != 0 && got != own {
		t.Errorf("error %v: own code %v, want %v", err, got, own)
	}
}

func statusOf(err error) *status.Status {
	var answer interface{ GRPCStatus() *status.Status }
	if errors.As(err, &answer) {
		return answer.GRPCStatus()
	}
	return status.New(codes.Unknown, fmt.Sprint(err))
}

func codeOf(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	return statusOf(err).Code()
}

func ownCode(err error) storagepb.StorageError_StorageErrorCode {
	for _, d := range statusOf(err).Details() {
		if e, ok := d.(*storagepb.StorageError); ok {
			return e.GetCode()
		}
	}
	return 0
}
