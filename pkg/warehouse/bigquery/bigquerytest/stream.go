package bigquerytest

import (
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxHeld bounds the bytes that a stream keeps back until it is flushed or
// committed.
const maxHeld = 256 << 20

// stream is a write stream.
type stream struct {
	name    string
	kind    storagepb.WriteStream_Type // default streams are COMMITTED, without offsets
	table   *table
	created time.Time

	mu        sync.Mutex
	end       int64 // rows it holds
	flushed   int64 // of a BUFFERED one: rows in the table
	held      []heldRows
	heldBytes int
	finalized bool
	committed time.Time // of a PENDING one
	gone      bool
	used      time.Time
	owner     *connection // the one that may append
}

// heldRows are rows that are not in the table yet.
type heldRows struct {
	offset int64
	plan   *rowPlan
	rows   [][]byte
}

const defaultStream = "_default"

func (s *stream) isDefault() bool { return strings.HasSuffix(s.name, "/streams/"+defaultStream) }

// describe is the stream as the API describes it.
func (s *stream) describe(location string, schema bool) *storagepb.WriteStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	ws := &storagepb.WriteStream{
		Name: s.name, Type: s.kind, CreateTime: timestamppb.New(s.created), WriteMode: storagepb.WriteStream_INSERT, Location: location,
	}
	switch {
	case s.kind == storagepb.WriteStream_COMMITTED:
		ws.CommitTime = ws.CreateTime
	case !s.committed.IsZero():
		ws.CommitTime = timestamppb.New(s.committed)
	}
	if schema {
		ws.TableSchema = &storagepb.TableSchema{Fields: storageSchema(s.table.columnsNow())}
	}
	return ws
}

// claim makes a connection the one that may append: of an application's stream
// there is one at a time, the newest.
func (s *stream) claim(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isDefault() {
		s.owner = c
	}
}

// append commits rows at an offset, or nil for the end, and returns the offset
// they are at; -1 in a default stream.
func (s *stream) append(c *connection, want *int64, plan *rowPlan, rows [][]byte, now time.Time) (int64, *status.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.refusal(c, want, now); st != nil {
		return 0, st
	}
	at := s.end
	if s.isDefault() {
		at = -1
	}
	if st := s.store(at, plan, rows, now); st != nil {
		return 0, st
	}
	s.end += int64(len(rows))
	s.used = now
	return at, nil
}

// refusal says why an append cannot be.
func (s *stream) refusal(c *connection, want *int64, now time.Time) *status.Status {
	switch {
	case s.expired(now):
		return streamNotFound(s.name)
	case s.owner != nil && s.owner != c:
		return refuse(codes.Aborted, s.name, "Another connection was opened to the stream.")
	case s.finalized:
		return streamFinalized(s.name)
	case want == nil:
		return nil
	case s.isDefault():
		return refuse(codes.InvalidArgument, s.name, "Offset can not be specified for default stream.")
	case *want < s.end:
		return storageError(codes.AlreadyExists, storagepb.StorageError_OFFSET_ALREADY_EXISTS, s.name,
			"The offset is within stream, expected offset %d, received %d", s.end, *want)
	case *want > s.end:
		return storageError(codes.OutOfRange, storagepb.StorageError_OFFSET_OUT_OF_RANGE, s.name,
			"The offset is beyond stream, expected offset %d, received %d", s.end, *want)
	}
	return nil
}

// expired reports whether the stream is no more. It is called with mu held.
func (s *stream) expired(now time.Time) bool {
	if !s.gone && !s.isDefault() && now.Sub(s.used) > s.table.store.life() {
		s.gone = true
	}
	return s.gone || s.table.isDropped()
}

func (s *stream) store(at int64, plan *rowPlan, rows [][]byte, now time.Time) *status.Status {
	if s.kind == storagepb.WriteStream_COMMITTED {
		return s.table.commit(s.name, at, plan, rows, now)
	}
	for _, row := range rows {
		s.heldBytes += len(row)
	}
	if s.heldBytes > maxHeld {
		return refuse(codes.ResourceExhausted, s.name, "The stream holds back more than %d bytes.", maxHeld)
	}
	s.held = append(s.held, heldRows{at, plan, rows})
	return nil
}

// flush puts the rows up to and with an offset into the table.
func (s *stream) flush(to int64, now time.Time) *status.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.expired(now):
		return streamNotFound(s.name)
	case s.kind != storagepb.WriteStream_BUFFERED:
		return storageError(codes.InvalidArgument, storagepb.StorageError_INVALID_STREAM_TYPE, s.name, "Only a BUFFERED stream can be flushed.")
	case to < 0 || to >= s.end:
		return storageError(codes.OutOfRange, storagepb.StorageError_OFFSET_OUT_OF_RANGE, s.name,
			"The flush offset %d is beyond the end of the stream, which has %d rows.", to, s.end)
	case to < s.flushed:
		return nil // flushed before: nothing is put there twice
	}
	return s.release(to+1, now)
}

// release puts the rows before an offset into the table.
func (s *stream) release(end int64, now time.Time) *status.Status {
	for len(s.held) > 0 && s.held[0].offset < end {
		h := &s.held[0]
		n := min(int64(len(h.rows)), end-h.offset)
		if st := s.table.commit(s.name, h.offset, h.plan, h.rows[:n], now); st != nil {
			return st
		}
		for _, row := range h.rows[:n] {
			s.heldBytes -= len(row)
		}
		h.offset, h.rows = h.offset+n, h.rows[n:]
		if len(h.rows) == 0 {
			s.held = s.held[1:]
		}
	}
	s.flushed = max(s.flushed, end)
	return nil
}

// finalize closes the stream for appends and returns its rows. It may be done
// again.
func (s *stream) finalize(now time.Time) (int64, *status.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.expired(now):
		return 0, streamNotFound(s.name)
	case s.isDefault():
		return 0, storageError(codes.InvalidArgument, storagepb.StorageError_INVALID_STREAM_TYPE, s.name, "A default stream cannot be finalized.")
	}
	s.finalized = true
	return s.end, nil
}

// committable says why a PENDING stream cannot be committed. It is called with
// mu held.
func (s *stream) committable(parent string, now time.Time) *storagepb.StorageError {
	problem := func(code storagepb.StorageError_StorageErrorCode, text string) *storagepb.StorageError {
		return &storagepb.StorageError{Code: code, Entity: s.name, ErrorMessage: text}
	}
	switch {
	case s.expired(now):
		return problem(storagepb.StorageError_STREAM_NOT_FOUND, "The stream is not found.")
	case s.table.name != parent:
		return problem(storagepb.StorageError_INVALID_STREAM_STATE, "The stream is of another table.")
	case s.kind != storagepb.WriteStream_PENDING:
		return problem(storagepb.StorageError_INVALID_STREAM_TYPE, "Only a PENDING stream can be committed.")
	case !s.committed.IsZero():
		return problem(storagepb.StorageError_STREAM_ALREADY_COMMITTED, "The stream is committed already.")
	case !s.finalized:
		return problem(storagepb.StorageError_INVALID_STREAM_STATE, "The stream is not finalized.")
	}
	return nil
}
