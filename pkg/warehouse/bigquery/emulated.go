package bigquery

import (
	"context"
	"net/http"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
)

// What follows is for endpoints that are insecure: emulators. They lock their
// tables and give up where BigQuery waits, so that calls of every kind share
// the places of Config.InFlight.

// plainClient calls a REST API without credentials.
func (s *Store) plainClient() *http.Client {
	return &http.Client{Transport: &queued{s.flights, &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}}}
}

// queued has requests wait for a place.
type queued struct {
	flights chan struct{}
	*http.Transport
}

// RoundTrip waits for a place, and has it until the answer begins.
func (q *queued) RoundTrip(request *http.Request) (*http.Response, error) {
	select {
	case q.flights <- struct{}{}:
		defer func() { <-q.flights }()
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	return q.Transport.RoundTrip(request)
}

// queueCall has calls that make and end streams wait for a place.
func (s *Store) queueCall(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	select {
	case s.flights <- struct{}{}:
		defer func() { <-s.flights }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return invoke(ctx, method, request, reply, conn, options...)
}

// nameStreams has every append name its stream. The client leaves the name out after
// the first on a connection, as the protocol allows; the emulator then appends
// to any stream it knows.
func nameStreams(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := streamer(ctx, desc, conn, method, options...)
	if err != nil {
		return nil, err
	}
	return &namedStream{ClientStream: stream}, nil
}

// namedStream remembers the name. Its sends come one after another, as those of
// any client stream must.
type namedStream struct {
	grpc.ClientStream
	name string
}

// SendMsg completes an append.
func (s *namedStream) SendMsg(message any) error {
	request, ok := message.(*storagepb.AppendRowsRequest)
	switch {
	case !ok:
	case request.WriteStream != "":
		s.name = request.WriteStream
	default:
		request.WriteStream = s.name
	}
	return s.ClientStream.SendMsg(message)
}
