package bigquerytest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/api/googleapi"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// TestAppendFaults: what an append meets, whether its rows are stored, and
// whether the connection lives on.
func TestAppendFaults(t *testing.T) {
	for _, c := range []struct {
		fault  bigquerytest.Fault
		code   codes.Code
		own    storagepb.StorageError_StorageErrorCode
		stored bool
		ends   bool
	}{
		{fault: bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded}, code: codes.ResourceExhausted},
		{fault: bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded, EndsStream: true}, code: codes.ResourceExhausted, ends: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.RateLimited}, code: codes.ResourceExhausted},
		{fault: bigquerytest.Fault{Kind: bigquerytest.PermissionDenied}, code: codes.PermissionDenied},
		{fault: bigquerytest.Fault{Kind: bigquerytest.Unavailable}, code: codes.Unavailable, ends: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.InternalError}, code: codes.Internal},
		{fault: bigquerytest.Fault{Kind: bigquerytest.Unauthenticated}, code: codes.Unauthenticated, ends: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.Slow, Delay: time.Millisecond}, stored: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.CloseAfterCommit}, code: codes.Unavailable, stored: true, ends: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.Reset}, code: codes.Unavailable, ends: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.ResetAfterCommit}, code: codes.Unavailable, stored: true, ends: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.StreamGone}, code: codes.NotFound, own: storagepb.StorageError_STREAM_NOT_FOUND, ends: true},
		{fault: bigquerytest.Fault{Kind: bigquerytest.RowRefused, Marker: "vict"}, code: codes.InvalidArgument},
		{fault: bigquerytest.Fault{Kind: bigquerytest.RowRefused, Marker: "other"}, stored: true},
	} {
		name := string(c.fault.Kind)
		if c.fault.EndsStream {
			name += " for good"
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, bigquerytest.Config{})
			connection := w.connection()
			stream := w.create(storagepb.WriteStream_COMMITTED)
			_, err := exchange(t, connection, request(stream, descriptor(), row("before")))
			must(t, err)
			c.fault.Method, c.fault.Table, c.fault.Calls = bigquerytest.AppendRows, tableID, 1
			order := w.server.Order(c.fault)
			response, err := exchange(t, connection, request("", nil, row("victim")))
			if ended := err != nil; ended != c.ends {
				t.Fatalf("ended %v (%v), want %v", ended, err, c.ends)
			}
			if err == nil {
				if got := codes.Code(response.GetError().GetCode()); got != c.code {
					t.Errorf("response %v, want %v", response, c.code)
				}
			} else {
				wantCode(t, err, c.code, c.own)
			}
			want := []string{"before"}
			if c.stored {
				want = append(want, "victim")
			}
			w.wantIDs(want...)
			if c.ends && c.fault.Kind != bigquerytest.StreamGone {
				connection = w.connection()
			}
			if c.fault.Kind != bigquerytest.StreamGone { // the next call is well
				response, err = exchange(t, connection, request(stream, descriptor(), row("after")))
				must(t, err)
				if response.GetError() != nil {
					t.Errorf("response after the fault %v", response)
				}
				w.wantIDs(append(want, "after")...)
			}
			if want := map[bool]int{true: 0, false: 1}[c.fault.Marker == "other"]; order.Hits() != want {
				t.Errorf("%d hits, want %d", order.Hits(), want)
			}
		})
	}
}

func TestQuotaErrorsSayHowLongToWait(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	w.server.Order(bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded, Method: bigquerytest.AppendRows, Delay: 7 * time.Second})
	_, err := put(t, w.stream(managedwriter.CommittedStream), rows("x"))
	wantCode(t, err, codes.ResourceExhausted, 0)
	for _, d := range statusOf(err).Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok && info.GetRetryDelay().AsDuration() == 7*time.Second {
			return
		}
	}
	t.Errorf("error %v has no RetryInfo of 7 s", err)
}

// TestSlowAnswersKeepTheirOrder: several appends are carried out while the first waits for its
// answer, and answers keep their order.
func TestSlowAnswersKeepTheirOrder(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	ms := w.stream(managedwriter.CommittedStream)
	w.server.Order(bigquerytest.Fault{Kind: bigquerytest.Slow, Method: bigquerytest.AppendRows, Delay: 100 * time.Millisecond, Calls: 1})
	var results []*managedwriter.AppendResult
	for i, id := range []string{"a", "b", "c"} {
		result, err := ms.AppendRows(t.Context(), rows(id), managedwriter.WithOffset(int64(i)))
		must(t, err)
		results = append(results, result)
	}
	for i, result := range results {
		if got, err := result.GetResult(t.Context()); err != nil || got != int64(i) {
			t.Errorf("append %d: offset %d, error %v", i, got, err)
		}
	}
	if n := w.server.Counts().InFlight; n != 3 {
		t.Errorf("%d appends in flight, want 3", n)
	}
}

func TestStaleSchemaRefusesNewColumns(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	w.widen("extra")
	order := w.server.Order(bigquerytest.Fault{Kind: bigquerytest.StaleSchema, Calls: 1})
	wide := managedwriter.WithSchemaDescriptor(descriptor(field("extra", 9, text)))
	_, err := put(t, w.stream(managedwriter.CommittedStream, wide), rows("x"))
	wantCode(t, err, codes.InvalidArgument, storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS)
	_, err = put(t, w.stream(managedwriter.CommittedStream, wide), rows("a"))
	must(t, err)
	if order.Hits() != 1 {
		t.Errorf("%d hits, want 1", order.Hits())
	}
	w.wantIDs("a")
}

func TestHangingCallsEndWhenCleared(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	order := w.server.Order(bigquerytest.Fault{Kind: bigquerytest.Hang, Method: bigquerytest.TablesGet})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.rest.Dataset(dataset).Table(tableID).Metadata(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want a deadline", err)
	}
	order.Clear()
	order = w.server.Order(bigquerytest.Fault{Kind: bigquerytest.Hang, Method: bigquerytest.AppendRows})
	c := w.connection()
	must(t, c.Send(request(w.table(tableID)+"/streams/_default", descriptor(), row("x"))))
	ended := make(chan error, 1)
	go func() {
		_, err := c.Recv()
		ended <- err
	}()
	must(t, order.Wait(t.Context()))
	select {
	case err := <-ended:
		t.Fatalf("the append ended by itself: %v", err)
	default:
	}
	order.Clear()
	order.Clear() // again is no error
	wantCode(t, <-ended, codes.Unavailable, 0)
	w.wantIDs()
}

func TestFaultsHitOnlyMatchingCalls(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	w.makeTable("other")
	get := func(id string) error {
		_, err := w.rest.Dataset(dataset).Table(id).Metadata(t.Context())
		return err
	}
	denied := func(err error) bool {
		answer, found := errors.AsType[*googleapi.Error](err)
		return found && answer.Code == http.StatusForbidden
	}
	w.server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, Method: bigquerytest.TablesGet, Table: "other", After: 1, Calls: 2})
	var got []bool
	for _, id := range []string{"other", tableID, "other", "other", "other"} {
		got = append(got, denied(get(id)))
	}
	if want := [5]bool{2: true, 3: true}; [5]bool(got) != want {
		t.Errorf("denied %v, want %v", got, want)
	}
	ending := w.server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, For: time.Nanosecond})
	if err := get(tableID); err != nil || ending.Hits() != 0 {
		t.Errorf("a fault that has ended was met: %v", err)
	}
	w.server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied})
	if !denied(get(tableID)) {
		t.Error("a fault for everything was not met")
	}
	w.server.ClearFaults()
	must(t, get(tableID))
}

func TestRESTFaults(t *testing.T) {
	for _, c := range []struct {
		kind   bigquerytest.Kind
		status int
		reason string
	}{
		{bigquerytest.QuotaExceeded, http.StatusForbidden, "quotaExceeded"},
		{bigquerytest.RateLimited, http.StatusTooManyRequests, "rateLimitExceeded"},
		{bigquerytest.PermissionDenied, http.StatusForbidden, "accessDenied"},
		{bigquerytest.Unavailable, http.StatusServiceUnavailable, "backendError"},
		{bigquerytest.InternalError, http.StatusInternalServerError, "internalError"},
		{bigquerytest.Unauthenticated, http.StatusUnauthorized, "authError"},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			w := newWorld(t, bigquerytest.Config{})
			w.server.Order(bigquerytest.Fault{Kind: c.kind, Delay: time.Second})
			response, err := http.Get(w.server.URL() + "/bigquery/v2/projects/test/datasets/d/tables/raw")
			must(t, err)
			defer func() { _ = response.Body.Close() }()
			answer, found := errors.AsType[*googleapi.Error](googleapi.CheckResponse(response))
			if !found || answer.Code != c.status || len(answer.Errors) != 1 || answer.Errors[0].Reason != c.reason {
				t.Errorf("answer %+v", answer)
			}
			if got := response.Header.Get("Retry-After"); (got == "1") != (c.kind == bigquerytest.RateLimited) {
				t.Errorf("Retry-After %q", got)
			}
		})
	}
	t.Run("close after commit", func(t *testing.T) {
		w := newWorld(t, bigquerytest.Config{})
		w.server.Order(bigquerytest.Fault{Kind: bigquerytest.CloseAfterCommit, Method: bigquerytest.TablesInsert, Table: "made", Calls: 1})
		err := w.rest.Dataset(dataset).Table("made").Create(t.Context(), &bigquery.TableMetadata{Schema: columns})
		if err == nil {
			t.Error("the answer arrived")
		}
		_, err = w.rest.Dataset(dataset).Table("made").Metadata(t.Context())
		must(t, err)
	})
}

func TestUnaryFaults(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	w.server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, Method: bigquerytest.CreateWriteStream, Table: tableID, Calls: 1})
	req := &storagepb.CreateWriteStreamRequest{Parent: w.table(tableID), WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_COMMITTED}}
	_, err := w.raw.CreateWriteStream(t.Context(), req)
	wantCode(t, err, codes.PermissionDenied, 0)
	name := w.create(storagepb.WriteStream_COMMITTED)
	w.server.Order(bigquerytest.Fault{Kind: bigquerytest.StreamGone, Method: bigquerytest.FinalizeWriteStream, Calls: 1})
	for range 2 { // gone for good
		_, err = w.raw.FinalizeWriteStream(t.Context(), &storagepb.FinalizeWriteStreamRequest{Name: name})
		wantCode(t, err, codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND)
	}
	counts := w.server.Counts()
	if counts.Calls[bigquerytest.CreateWriteStream] != 2 || counts.Failed[bigquerytest.CreateWriteStream] != 1 || counts.Failed[bigquerytest.FinalizeWriteStream] != 2 {
		t.Errorf("counts %+v", counts)
	}
}

func TestAwayServerComesBackAtItsAddresses(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	c := w.connection()
	usual := w.table(tableID) + "/streams/_default"
	_, err := exchange(t, c, request(usual, descriptor(), row("a")))
	must(t, err)
	w.server.Away()
	_, err = c.Recv()
	wantCode(t, err, codes.Unavailable, 0)
	if response, err := http.Get(w.server.URL() + "/"); err == nil {
		_ = response.Body.Close()
		t.Error("somebody answers")
	}
	w.server.Back()
	response, err := http.Get(w.server.URL() + "/")
	must(t, err)
	must(t, response.Body.Close())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = w.raw.GetWriteStream(ctx, &storagepb.GetWriteStreamRequest{Name: usual})
	must(t, err)
	w.wantIDs("a")
}
