package bigquerytest

import (
	"errors"
	"io"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// connection is one AppendRows call: requests come in and answers go out in the
// same order, while more requests are on their way.
type connection struct {
	*service
	rpc     storagepb.BigQueryWrite_AppendRowsServer
	token   string
	stream  *stream              // that the last request named
	writers map[*stream]*writing // what was given for each stream
	answers chan answer
}

// writing is what a connection knows of a stream that it writes to.
type writing struct {
	plan  *rowPlan
	shape int // of the table that the client was last sent
	given *storagepb.ProtoSchema
}

// answer is a response on its way.
type answer struct {
	response *storagepb.AppendRowsResponse
	due      time.Time // zero: now
}

// maxUnanswered is how many appends of a connection may wait for a slow answer.
const maxUnanswered = 1024

// AppendRows serves one connection.
func (s *service) AppendRows(rpc storagepb.BigQueryWrite_AppendRowsServer) error {
	token, st := s.authorize(rpc.Context())
	if st != nil {
		s.counters.call(AppendRows, st.Code())
		return st.Err()
	}
	c := &connection{service: s, rpc: rpc, token: token, writers: map[*stream]*writing{}, answers: make(chan answer, maxUnanswered)}
	s.counters.connection(1)
	defer s.counters.connection(-1)
	sent := make(chan struct{})
	s.running.Go(func() {
		defer close(sent)
		c.send()
	})
	err := c.serve()
	close(c.answers)
	<-sent
	return err
}

// serve carries out requests until the client closes, falls silent or an error
// ends the connection.
func (c *connection) serve() error {
	requests := make(chan *storagepb.AppendRowsRequest)
	ended := make(chan error, 1)
	done := make(chan struct{})
	defer close(done)
	c.running.Go(func() { receive(c.rpc, requests, ended, done) })
	idle := time.NewTimer(c.config.Idle)
	defer idle.Stop()
	for {
		select {
		case req := <-requests:
			if err := c.handle(req); err != nil {
				return err
			}
			idle.Reset(c.config.Idle)
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-idle.C:
			return status.Errorf(codes.Aborted, "Closing the stream because there is no activity for %g secs.", c.config.Idle.Seconds())
		case <-c.closing:
			return status.Error(codes.Unavailable, "The service is shutting down.")
		}
	}
}

// receive hands over what the client sends, until the call ends.
func receive(rpc storagepb.BigQueryWrite_AppendRowsServer, requests chan<- *storagepb.AppendRowsRequest, ended chan<- error, done <-chan struct{}) {
	for {
		req, err := rpc.Recv()
		if err != nil {
			ended <- err
			return
		}
		select {
		case requests <- req:
		case <-done:
			return
		}
	}
}

// send sends answers in order, each when it is due.
func (c *connection) send() {
	for a := range c.answers {
		if wait := time.Until(a.due); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-c.rpc.Context().Done():
			case <-c.closing:
			}
			timer.Stop()
		}
		_ = c.rpc.Send(a.response) // a client that is gone shows in Recv
		c.counters.answered()
	}
}

// handle carries out one request. An error ends the connection.
func (c *connection) handle(req *storagepb.AppendRowsRequest) error {
	if st := c.checkToken(c.token); st != nil {
		return c.end(st)
	}
	name, st := c.target(req)
	if st != nil {
		return c.end(st)
	}
	order := c.faults.hit(AppendRows, tableOf(name))
	if order != nil {
		st, ended := c.before(order, name)
		if ended {
			return c.end(st)
		}
		if st != nil {
			c.respond(refusal(name, st), time.Time{})
			return nil
		}
	}
	response, st := c.append(name, req)
	if st != nil {
		return c.end(st)
	}
	if order == nil {
		c.respond(response, time.Time{})
		return nil
	}
	return c.after(order, name, response)
}

// before does what a fault does instead of the append: a status for the one
// request, or one that ends the connection.
func (c *connection) before(order *Order, name string) (st *status.Status, ended bool) {
	f := &order.fault
	switch f.Kind {
	case Slow, CloseAfterCommit, ResetAfterCommit:
		return nil, false
	case Reset:
		c.reset(c.rpc.Context())
	case Hang:
		c.hang(c.rpc.Context(), order)
	case StreamGone:
		c.store.dropStream(name)
	}
	st = faultStatus(f, AppendRows, name)
	if st == nil {
		st = status.New(codes.Unavailable, "The connection was reset.")
	}
	ends := f.EndsStream || f.Kind == Unavailable || f.Kind == Unauthenticated || f.Kind == Reset || f.Kind == Hang || f.Kind == StreamGone
	return st, ends
}

// after does what a fault does once the rows are committed.
func (c *connection) after(order *Order, name string, response *storagepb.AppendRowsResponse) error {
	switch order.fault.Kind {
	case Slow:
		c.respond(response, time.Now().Add(order.fault.Delay))
		return nil
	case ResetAfterCommit:
		c.reset(c.rpc.Context())
	}
	return c.end(refuse(codes.Unavailable, name, "The connection was closed."))
}

// end counts a request that ends the connection.
func (c *connection) end(st *status.Status) error {
	c.counters.call(AppendRows, st.Code())
	return st.Err()
}

// respond queues an answer.
func (c *connection) respond(response *storagepb.AppendRowsResponse, due time.Time) {
	c.counters.call(AppendRows, codes.Code(response.GetError().GetCode()))
	c.counters.waiting()
	c.answers <- answer{response, due}
}

// target is the stream that a request is for. Only default streams can share a
// connection.
func (c *connection) target(req *storagepb.AppendRowsRequest) (string, *status.Status) {
	name := req.GetWriteStream()
	switch {
	case name == "" && c.stream == nil:
		return "", refuse(codes.InvalidArgument, "", "The first request on a connection must name its write_stream.")
	case name == "":
		return c.stream.name, nil
	case c.stream == nil:
		return name, nil
	}
	next, found := c.store.stream(name, time.Now())
	if found && next != c.stream && !(next.isDefault() && c.stream.isDefault()) {
		return "", refuse(codes.InvalidArgument, name, "Only default streams can share a connection; this one is for %s.", c.stream.name)
	}
	return name, nil
}

// append checks a request and commits its rows. A status ends the connection;
// what concerns the one request is in the response.
func (c *connection) append(name string, req *storagepb.AppendRowsRequest) (*storagepb.AppendRowsResponse, *status.Status) {
	now := time.Now()
	s, found := c.store.stream(name, now)
	if !found {
		return nil, c.notFound(name)
	}
	if s.table.isView() {
		return nil, refuse(codes.InvalidArgument, name, "Cannot append to a view.")
	}
	w, st := c.writer(s, req)
	if st != nil {
		return nil, st
	}
	if size := proto.Size(req); size > c.config.MaxRequest {
		return refusal(s.name, refuse(codes.InvalidArgument, s.name, "AppendRows request too large: %d limit %d", size, c.config.MaxRequest)), nil
	}
	rows := req.GetProtoRows().GetRows().GetSerializedRows()
	if len(rows) == 0 {
		return refusal(s.name, refuse(codes.InvalidArgument, s.name, "Rows must be specified.")), nil
	}
	if bad := c.rowErrors(s, w.plan, rows); bad != nil {
		response := refusal(s.name, refuse(codes.InvalidArgument, s.name,
			"Errors found while processing rows. Please refer to the row_errors field for details. The list may not be complete because of the size limitations."))
		response.RowErrors = bad
		return response, nil
	}
	return c.commit(s, w, req, rows, now), nil
}

func (c *connection) commit(s *stream, w *writing, req *storagepb.AppendRowsRequest, rows [][]byte, now time.Time) *storagepb.AppendRowsResponse {
	var want *int64
	if given := req.GetOffset(); given != nil {
		want = &given.Value
	}
	at, st := s.append(c, want, w.plan, rows, now)
	if st != nil {
		return refusal(s.name, st)
	}
	c.counters.appended(len(rows))
	result := &storagepb.AppendRowsResponse_AppendResult{}
	if at >= 0 {
		result.Offset = wrapperspb.Int64(at)
	}
	response := &storagepb.AppendRowsResponse{WriteStream: s.name, Response: &storagepb.AppendRowsResponse_AppendResult_{AppendResult: result}}
	if list, shape := s.table.schema(false); shape != w.shape {
		w.shape = shape
		response.UpdatedSchema = &storagepb.TableSchema{Fields: storageSchema(list)}
	}
	return response
}

// writer is the plan for a request's rows. The schema is given with the first
// request for a stream. A default stream takes another later; an application's
// stream ignores it until a new connection.
func (c *connection) writer(s *stream, req *storagepb.AppendRowsRequest) (*writing, *status.Status) {
	if req.GetArrowRows() != nil {
		return nil, refuse(codes.InvalidArgument, s.name, "This server takes protocol buffer rows only.")
	}
	given := req.GetProtoRows().GetWriterSchema()
	earlier := c.writers[s]
	if c.stream != s {
		if given == nil {
			return nil, refuse(codes.InvalidArgument, s.name, "The writer_schema is missing: it is needed with the first request of a connection and of a new destination.")
		}
		earlier = nil
	}
	if earlier != nil && (given == nil || !s.isDefault() || proto.Equal(given, earlier.given)) {
		return earlier, nil
	}
	m, st := message(given.GetProtoDescriptor(), s.name)
	if st != nil {
		return nil, st
	}
	list, shape := s.table.schema(c.faults.bent(StaleSchema, AppendRows, s.table.id(), nil) != nil)
	plan, st := fit(m, list, s.name)
	if st != nil {
		return nil, st
	}
	plan.bound(s.table.partition(), time.Now())
	w := &writing{plan: plan, shape: shape, given: given}
	c.writers[s], c.stream = w, s
	s.claim(c)
	return w, nil
}

// rowErrors names the rows that are refused, the first of them.
func (c *connection) rowErrors(s *stream, plan *rowPlan, rows [][]byte) []*storagepb.RowError {
	ordered := c.faults.bent(RowRefused, AppendRows, s.table.id(), rows)
	var bad []*storagepb.RowError
	for i, row := range rows {
		err := plan.check(row)
		if err == nil && ordered != nil && ordered.refuses(row) {
			err = errors.New("the row is refused by order")
		}
		if err != nil {
			bad = append(bad, &storagepb.RowError{Index: int64(i), Code: storagepb.RowError_FIELDS_ERROR, Message: err.Error()})
			if len(bad) == c.config.MaxRowErrors {
				break
			}
		}
	}
	return bad
}

func refusal(stream string, st *status.Status) *storagepb.AppendRowsResponse {
	return &storagepb.AppendRowsResponse{WriteStream: stream, Response: &storagepb.AppendRowsResponse_Error{Error: st.Proto()}}
}

// tableOf is the id of the table in a table's or stream's name.
func tableOf(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) < 6 {
		return ""
	}
	return parts[5]
}
