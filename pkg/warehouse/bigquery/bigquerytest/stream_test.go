package bigquerytest_test

import (
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

func TestStreamsOfEachType(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, w *world)
	}{
		{"a stream is described", describesStream},
		{"a stream that is not there", missesStream},
		{"a stream that is finalized", finalizesStream},
		{"a default stream cannot be finalized", finalizesDefault},
		{"a stream that was dropped", dropsStream},
		{"a table that was dropped and made anew", dropsTable},
		{"a view takes no rows", refusesView},
		{"a stream needs a type", refusesType},
		{"one connection, the newest", takesOver},
		{"buffered rows are flushed once", flushesBuffered},
		{"pending rows are committed together", commitsPending},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, newWorld(t, bigquerytest.Config{})) })
	}
}

func describesStream(t *testing.T, w *world) {
	made, err := w.raw.CreateWriteStream(t.Context(), &storagepb.CreateWriteStreamRequest{Parent: w.table(tableID), WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_COMMITTED}})
	must(t, err)
	if n := len(made.GetTableSchema().GetFields()); n != len(columns) {
		t.Errorf("%d columns, want %d", n, len(columns))
	}
	got, err := w.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: made.GetName()})
	must(t, err)
	if got.GetType() != storagepb.WriteStream_COMMITTED || got.GetTableSchema() != nil || got.GetCommitTime() == nil {
		t.Errorf("stream %v", got)
	}
	_, err = w.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: w.table(tableID) + "/_default"})
	must(t, err) // either name of the default stream
	if list := w.server.Store().Streams(dataset, tableID); len(list) != 1 || list[0] != made.GetName() {
		t.Errorf("streams %v", list)
	}
}

func missesStream(t *testing.T, w *world) {
	_, err := w.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: w.table(tableID) + "/streams/none"})
	wantCode(t, err, codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND)
	_, err = w.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: w.table("none") + "/streams/_default"})
	wantCode(t, err, codes.NotFound, storagepb.StorageError_TABLE_NOT_FOUND)
	_, err = w.raw.CreateWriteStream(t.Context(), &storagepb.CreateWriteStreamRequest{Parent: w.table("none"), WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_COMMITTED}})
	wantCode(t, err, codes.NotFound, storagepb.StorageError_TABLE_NOT_FOUND)
	_, err = exchange(t, w.connection(), request(w.table(tableID)+"/streams/none", descriptor(), row("x")))
	wantCode(t, err, codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND)
}

func finalizesStream(t *testing.T, w *world) {
	ms := w.stream(managedwriter.CommittedStream)
	_, err := put(t, ms, rows("a", "b"))
	must(t, err)
	for range 2 { // again is no error
		n, err := ms.Finalize(t.Context())
		must(t, err)
		if n != 2 {
			t.Errorf("finalized with %d rows, want 2", n)
		}
	}
	_, err = put(t, ms, rows("x"))
	wantCode(t, err, codes.InvalidArgument, storagepb.StorageError_STREAM_FINALIZED)
	_, err = put(t, ms, rows("x"), managedwriter.WithOffset(2))
	wantCode(t, err, codes.InvalidArgument, storagepb.StorageError_STREAM_FINALIZED)
	w.wantIDs("a", "b")
}

func finalizesDefault(t *testing.T, w *world) {
	_, err := w.raw.FinalizeWriteStream(t.Context(), &storagepb.FinalizeWriteStreamRequest{Name: w.table(tableID) + "/streams/_default"})
	wantCode(t, err, codes.InvalidArgument, storagepb.StorageError_INVALID_STREAM_TYPE)
}

func dropsStream(t *testing.T, w *world) {
	ms := w.stream(managedwriter.CommittedStream)
	_, err := put(t, ms, rows("a"))
	must(t, err)
	if !w.server.Store().DropStream(ms.StreamName()) {
		t.Fatal("no stream to drop")
	}
	_, err = put(t, ms, rows("x"))
	wantCode(t, err, codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND)
	_, err = ms.Finalize(t.Context())
	wantCode(t, err, codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND)
	w.wantIDs("a")
	if w.server.Store().DropStream(w.table(tableID) + "/streams/_default") {
		t.Error("a default stream was dropped")
	}
}

func dropsTable(t *testing.T, w *world) {
	ms := w.stream(managedwriter.CommittedStream)
	_, err := put(t, ms, rows("a"))
	must(t, err)
	if !w.server.Store().DropTable(dataset, tableID) {
		t.Fatal("no table to drop")
	}
	_, err = put(t, ms, rows("x"))
	wantCode(t, err, codes.NotFound, storagepb.StorageError_TABLE_NOT_FOUND)
	w.makeTable(tableID)
	_, err = w.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: ms.StreamName()})
	wantCode(t, err, codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND)
	_, err = put(t, w.stream(managedwriter.CommittedStream), rows("b"), managedwriter.WithOffset(0))
	must(t, err)
	w.wantIDs("b")
}

func refusesView(t *testing.T, w *world) {
	must(t, w.rest.Dataset(dataset).Table("view").Create(t.Context(), &bigquery.TableMetadata{ViewQuery: "select 1"}))
	_, err := w.raw.CreateWriteStream(t.Context(), &storagepb.CreateWriteStreamRequest{Parent: w.table("view"), WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_COMMITTED}})
	wantCode(t, err, codes.InvalidArgument, 0)
	_, err = exchange(t, w.connection(), request(w.table("view")+"/streams/_default", descriptor(), row("x")))
	wantCode(t, err, codes.InvalidArgument, 0)
}

func refusesType(t *testing.T, w *world) {
	_, err := w.raw.CreateWriteStream(t.Context(), &storagepb.CreateWriteStreamRequest{Parent: w.table(tableID), WriteStream: &storagepb.WriteStream{}})
	wantCode(t, err, codes.InvalidArgument, storagepb.StorageError_INVALID_STREAM_TYPE)
}

func takesOver(t *testing.T, w *world) {
	name := w.create(storagepb.WriteStream_COMMITTED)
	older, newer := w.connection(), w.connection()
	_, err := exchange(t, older, request(name, descriptor(), row("a")))
	must(t, err)
	_, err = exchange(t, newer, request(name, descriptor(), row("b")))
	must(t, err)
	response, err := exchange(t, older, request("", nil, row("x")))
	must(t, err)
	if codes.Code(response.GetError().GetCode()) != codes.Aborted {
		t.Errorf("response on the older connection %v", response)
	}
	usual := w.table(tableID) + "/streams/_default"
	first, second := w.connection(), w.connection()
	for _, c := range []storagepb.BigQueryWrite_AppendRowsClient{first, second, first} {
		response, err := exchange(t, c, request(usual, descriptor(), row("d")))
		must(t, err)
		if response.GetError() != nil {
			t.Errorf("response of the default stream %v", response)
		}
	}
	w.wantIDs("a", "b", "d", "d", "d")
}

func flushesBuffered(t *testing.T, w *world) {
	ms := w.stream(managedwriter.BufferedStream)
	_, err := put(t, ms, rows("a", "b", "c"), managedwriter.WithOffset(0))
	must(t, err)
	w.wantIDs()
	for _, to := range []int64{1, 1, 0, 2} {
		_, err := ms.FlushRows(t.Context(), to)
		must(t, err)
	}
	w.wantIDs("a", "b", "c")
	_, err = ms.FlushRows(t.Context(), 3)
	wantCode(t, err, codes.OutOfRange, storagepb.StorageError_OFFSET_OUT_OF_RANGE)
	_, err = w.stream(managedwriter.CommittedStream).FlushRows(t.Context(), 0)
	wantCode(t, err, codes.InvalidArgument, storagepb.StorageError_INVALID_STREAM_TYPE)
}

func commitsPending(t *testing.T, w *world) {
	one, two := w.stream(managedwriter.PendingStream), w.stream(managedwriter.PendingStream)
	_, err := put(t, one, rows("a"))
	must(t, err)
	_, err = put(t, two, rows("b"))
	must(t, err)
	commit := func(names ...string) *storagepb.BatchCommitWriteStreamsResponse {
		response, err := w.raw.BatchCommitWriteStreams(t.Context(), &storagepb.BatchCommitWriteStreamsRequest{Parent: w.table(tableID), WriteStreams: names})
		must(t, err)
		return response
	}
	_, err = one.Finalize(t.Context())
	must(t, err)
	committed := w.create(storagepb.WriteStream_COMMITTED)
	response := commit(one.StreamName(), two.StreamName(), committed, w.table(tableID)+"/streams/none")
	got := map[storagepb.StorageError_StorageErrorCode]bool{}
	for _, e := range response.GetStreamErrors() {
		got[e.GetCode()] = true
	}
	if response.GetCommitTime() != nil || len(got) != 3 || !got[storagepb.StorageError_INVALID_STREAM_STATE] || !got[storagepb.StorageError_INVALID_STREAM_TYPE] || !got[storagepb.StorageError_STREAM_NOT_FOUND] {
		t.Errorf("response %v", response)
	}
	w.wantIDs()
	_, err = two.Finalize(t.Context())
	must(t, err)
	if response = commit(two.StreamName(), one.StreamName()); response.GetCommitTime() == nil {
		t.Errorf("response %v", response)
	}
	w.wantIDs("a", "b")
	response = commit(one.StreamName())
	if list := response.GetStreamErrors(); len(list) != 1 || list[0].GetCode() != storagepb.StorageError_STREAM_ALREADY_COMMITTED {
		t.Errorf("response %v", response)
	}
}

func TestIdleStreamsAreDropped(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{StreamLife: time.Nanosecond})
	ms := w.table(tableID) + "/streams/_default"
	_, err := w.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: w.create(storagepb.WriteStream_COMMITTED)})
	wantCode(t, err, codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND)
	_, err = w.raw.GetWriteStream(t.Context(), &storagepb.GetWriteStreamRequest{Name: ms})
	must(t, err) // default streams stay
}

func TestIdleConnectionIsClosed(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{Idle: 20 * time.Millisecond})
	c := w.connection()
	_, err := exchange(t, c, request(w.table(tableID)+"/streams/_default", descriptor(), row("a")))
	must(t, err)
	_, err = c.Recv()
	wantCode(t, err, codes.Aborted, 0)
}

func TestStoreOutlivesServer(t *testing.T) {
	store, err := bigquerytest.NewStore(t.TempDir(), bigquerytest.StoreConfig{})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	w := newWorld(t, bigquerytest.Config{Store: store})
	name := w.create(storagepb.WriteStream_COMMITTED)
	_, err = exchange(t, w.connection(), request(name, descriptor(), row("a")))
	must(t, err)
	w.server.Close()
	w.server.Close() // again is no error

	w = &world{t: t, server: bigquerytest.Start(t, bigquerytest.Config{Store: store, Anonymous: true})}
	w.connect()
	w.wantIDs("a")
	_, err = w.rest.Dataset(dataset).Table(tableID).Metadata(t.Context())
	must(t, err)
	response, err := exchange(t, w.connection(), request(name, descriptor(), row("b")))
	must(t, err)
	if got := response.GetAppendResult().GetOffset().GetValue(); got != 1 {
		t.Errorf("response %v, want offset 1", response)
	}
	w.wantIDs("a", "b")
}
