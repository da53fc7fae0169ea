package bigquerytest_test

import (
	"testing"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

func TestOffsetsMustBeTheStreamsEnd(t *testing.T) {
	at := managedwriter.WithOffset
	t.Run("at the end rows are stored and the offset returned", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.CommittedStream)
		for i, id := range []string{"a", "b", "c"} {
			if got, err := put(t, ms, rows(id), at(int64(i))); err != nil || got != int64(i) {
				t.Fatalf("append %d: offset %d, error %v", i, got, err)
			}
		}
		w.wantIDs("a", "b", "c")
	})
	t.Run("below the end nothing is stored", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.CommittedStream)
		_, err := put(t, ms, rows("a", "b"), at(0))
		must(t, err)
		for _, offset := range []int64{0, 1} {
			_, err = put(t, ms, rows("x"), at(offset))
			wantCode(t, err, codes.AlreadyExists, storagepb.StorageError_OFFSET_ALREADY_EXISTS)
		}
		w.wantIDs("a", "b")
	})
	t.Run("beyond the end nothing is stored, and the connection goes on", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.CommittedStream)
		_, err := put(t, ms, rows("x"), at(1))
		wantCode(t, err, codes.OutOfRange, storagepb.StorageError_OFFSET_OUT_OF_RANGE)
		_, err = put(t, ms, rows("a"), at(0))
		must(t, err)
		w.wantIDs("a")
		if n := w.server.Counts().Connections; n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
	t.Run("without one rows go to the end", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.CommittedStream)
		_, err := put(t, ms, rows("a", "b"))
		must(t, err)
		if got, err := put(t, ms, rows("c")); err != nil || got != 2 {
			t.Fatalf("offset %d, error %v, want 2", got, err)
		}
	})
	t.Run("a default stream takes none and returns none", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.DefaultStream)
		_, err := put(t, ms, rows("x"), at(0))
		wantCode(t, err, codes.InvalidArgument, 0)
		if got, err := put(t, ms, rows("a")); err != nil || got != managedwriter.NoStreamOffset {
			t.Fatalf("offset %d, error %v", got, err)
		}
		w.wantIDs("a")
	})
	t.Run("a default stream stores what is sent twice twice", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		ms := w.stream(managedwriter.DefaultStream)
		for range 2 {
			_, err := put(t, ms, rows("a"))
			must(t, err)
		}
		w.wantIDs("a", "a")
	})
}
