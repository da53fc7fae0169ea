package bigquerytest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// service is google.cloud.bigquery.storage.v1.BigQueryWrite.
type service struct {
	storagepb.UnimplementedBigQueryWriteServer
	*Server
}

// carryOut authorizes a call, lets an ordered fault have its way, and answers.
func carryOut[T any](ctx context.Context, s *service, m Method, entity string, work func() (T, *status.Status)) (answer T, err error) {
	var none T
	st := func() *status.Status {
		if _, st := s.authorize(ctx); st != nil {
			return st
		}
		order := s.faults.hit(m, tableOf(entity))
		if order != nil {
			if st := s.instead(ctx, order, m, entity); st != nil {
				return st
			}
		}
		var st *status.Status
		if answer, st = work(); st != nil || order == nil {
			return st
		}
		return s.afterwards(ctx, order, m, entity)
	}()
	s.counters.call(m, st.Code())
	if st != nil {
		return none, st.Err()
	}
	return answer, nil
}

// instead does what a fault does in place of a call; nil when the call is to be
// carried out.
func (s *service) instead(ctx context.Context, order *Order, m Method, entity string) *status.Status {
	switch order.fault.Kind {
	case Slow, CloseAfterCommit, ResetAfterCommit:
		return nil
	case Reset:
		s.reset(ctx)
		return status.New(codes.Unavailable, "The connection was reset.")
	case Hang:
		s.hang(ctx, order)
	case StreamGone:
		s.store.dropStream(entity)
	}
	return faultStatus(&order.fault, m, entity)
}

// afterwards does what a fault does once a call is carried out.
func (s *service) afterwards(ctx context.Context, order *Order, m Method, entity string) *status.Status {
	switch order.fault.Kind {
	case Slow:
		s.pause(ctx, order.fault.Delay)
		return nil
	case ResetAfterCommit:
		s.reset(ctx)
		return status.New(codes.Unavailable, "The connection was reset.")
	}
	return faultStatus(&order.fault, m, entity)
}

// CreateWriteStream makes a stream of an application's own.
func (s *service) CreateWriteStream(ctx context.Context, req *storagepb.CreateWriteStreamRequest) (*storagepb.WriteStream, error) {
	parent := req.GetParent()
	return carryOut(ctx, s, CreateWriteStream, parent, func() (*storagepb.WriteStream, *status.Status) {
		t, found := s.tableNamed(parent)
		kind := req.GetWriteStream().GetType()
		switch {
		case !found:
			return nil, tableNotFound(parent)
		case t.isView():
			return nil, refuse(codes.InvalidArgument, parent, "Cannot write to a view.")
		case kind != storagepb.WriteStream_COMMITTED && kind != storagepb.WriteStream_PENDING && kind != storagepb.WriteStream_BUFFERED:
			return nil, storageError(codes.InvalidArgument, storagepb.StorageError_INVALID_STREAM_TYPE, parent, "The stream type must be specified.")
		}
		return s.store.addStream(t, kind, time.Now()).describe(s.config.Location, true), nil
	})
}

// GetWriteStream describes a stream.
func (s *service) GetWriteStream(ctx context.Context, req *storagepb.GetWriteStreamRequest) (*storagepb.WriteStream, error) {
	return carryOut(ctx, s, GetWriteStream, req.GetName(), func() (*storagepb.WriteStream, *status.Status) {
		st, found := s.store.stream(req.GetName(), time.Now())
		if !found {
			return nil, s.notFound(req.GetName())
		}
		return st.describe(s.config.Location, req.GetView() == storagepb.WriteStreamView_FULL), nil
	})
}

// FinalizeWriteStream closes a stream for appends.
func (s *service) FinalizeWriteStream(ctx context.Context, req *storagepb.FinalizeWriteStreamRequest) (*storagepb.FinalizeWriteStreamResponse, error) {
	return carryOut(ctx, s, FinalizeWriteStream, req.GetName(), func() (*storagepb.FinalizeWriteStreamResponse, *status.Status) {
		now := time.Now()
		st, found := s.store.stream(req.GetName(), now)
		if !found {
			return nil, s.notFound(req.GetName())
		}
		rows, refused := st.finalize(now)
		return &storagepb.FinalizeWriteStreamResponse{RowCount: rows}, refused
	})
}

// FlushRows makes rows of a BUFFERED stream part of the table.
func (s *service) FlushRows(ctx context.Context, req *storagepb.FlushRowsRequest) (*storagepb.FlushRowsResponse, error) {
	return carryOut(ctx, s, FlushRows, req.GetWriteStream(), func() (*storagepb.FlushRowsResponse, *status.Status) {
		now := time.Now()
		st, found := s.store.stream(req.GetWriteStream(), now)
		if !found {
			return nil, s.notFound(req.GetWriteStream())
		}
		if req.GetOffset() == nil {
			return nil, refuse(codes.InvalidArgument, st.name, "The offset is missing.")
		}
		to := req.GetOffset().GetValue()
		return &storagepb.FlushRowsResponse{Offset: to}, st.flush(to, now)
	})
}

// BatchCommitWriteStreams makes the rows of PENDING streams part of their table,
// all or none.
func (s *service) BatchCommitWriteStreams(ctx context.Context, req *storagepb.BatchCommitWriteStreamsRequest) (*storagepb.BatchCommitWriteStreamsResponse, error) {
	return carryOut(ctx, s, BatchCommitWriteStreams, req.GetParent(), func() (*storagepb.BatchCommitWriteStreamsResponse, *status.Status) {
		if _, found := s.tableNamed(req.GetParent()); !found {
			return nil, tableNotFound(req.GetParent())
		}
		return s.batchCommit(req.GetParent(), req.GetWriteStreams())
	})
}

func (s *service) batchCommit(parent string, names []string) (*storagepb.BatchCommitWriteStreamsResponse, *status.Status) {
	now := time.Now()
	response := &storagepb.BatchCommitWriteStreamsResponse{}
	var list []*stream
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		st, found := s.store.stream(name, now)
		if !found {
			response.StreamErrors = append(response.StreamErrors,
				&storagepb.StorageError{Code: storagepb.StorageError_STREAM_NOT_FOUND, Entity: name, ErrorMessage: "The stream is not found."})
			continue
		}
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b *stream) int { return cmp.Compare(a.name, b.name) }) // one order for the locks
	for _, st := range list {
		st.mu.Lock()
		defer st.mu.Unlock()
		if problem := st.committable(parent, now); problem != nil {
			response.StreamErrors = append(response.StreamErrors, problem)
		}
	}
	if len(response.StreamErrors) > 0 {
		return response, nil
	}
	for _, st := range list {
		if refused := st.release(st.end, now); refused != nil {
			return nil, refused
		}
		st.committed = now
	}
	response.CommitTime = timestamppb.New(now)
	return response, nil
}

// tableNamed finds a table by its full name.
func (s *service) tableNamed(name string) (*table, bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 6 || parts[0] != "projects" || parts[1] != s.config.Project || parts[2] != "datasets" || parts[4] != "tables" {
		return nil, false
	}
	return s.store.table(parts[3], parts[5])
}

// notFound says whether it is the table or only the stream that is not there.
func (s *service) notFound(name string) *status.Status {
	parts := strings.Split(name, "/")
	if len(parts) >= 6 {
		if _, found := s.tableNamed(strings.Join(parts[:6], "/")); !found {
			return tableNotFound(strings.Join(parts[:6], "/"))
		}
	}
	return streamNotFound(name)
}
