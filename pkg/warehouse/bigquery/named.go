package bigquery

import (
	"context"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
)

// named has every append name its stream. The client leaves the name out after
// the first on a connection, as the protocol allows; the emulator then appends
// to any stream it knows.
func named(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
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
