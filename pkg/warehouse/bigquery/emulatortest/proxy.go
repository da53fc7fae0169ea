package emulatortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Proxy stands in front of an emulator.
type Proxy struct {
	storagepb.UnimplementedBigQueryWriteServer

	URL         string // of the REST API
	GRPCAddress string // host:port

	forward http.Handler
	rest    *http.Server
	grpc    *grpc.Server
	conn    *grpc.ClientConn
	write   storagepb.BigQueryWriteClient
	turn    chan struct{} // holds one token while no call is under way
}

// maxMessage is more than BigQuery takes.
const maxMessage = 32 << 20

// NewProxy serves on free ports of loopback until Close.
func NewProxy(e *Emulator) (*Proxy, error) {
	restListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	grpcListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, restListener.Close())
	}
	conn, err := grpc.NewClient(e.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		return nil, errors.Join(err, restListener.Close(), grpcListener.Close())
	}
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: e.REST})
	forward.Transport = &http.Transport{DisableKeepAlives: true}
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
	p := &Proxy{
		URL: "http://" + restListener.Addr().String(), GRPCAddress: grpcListener.Addr().String(), forward: forward,
		grpc: grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage)), conn: conn, write: storagepb.NewBigQueryWriteClient(conn), turn: make(chan struct{}, 1),
	}
	p.turn <- struct{}{}
	p.rest = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	storagepb.RegisterBigQueryWriteServer(p.grpc, p)
	go func() { _ = p.rest.Serve(restListener) }()
	go func() { _ = p.grpc.Serve(grpcListener) }()
	return p, nil
}

// Close ends the calls under way.
func (p *Proxy) Close() error {
	p.grpc.Stop()
	return errors.Join(p.rest.Close(), p.conn.Close())
}

// alone waits until no other call is under way.
func (p *Proxy) alone(ctx context.Context) (done func(), err error) {
	select {
	case <-p.turn:
		return func() { p.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ServeHTTP forwards a call of the REST API.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	done, err := p.alone(r.Context())
	if err != nil {
		return
	}
	defer done()
	call := struct {
		JobReference  map[string]any
		Configuration struct{ DryRun bool }
		View          json.RawMessage
		Description   string
	}{}
	_ = json.Unmarshal(body, &call) // not every call has a body
	switch {
	case r.Method == http.MethodPost && call.Configuration.DryRun:
		answerDryRun(w, call.JobReference)
	case r.Method == http.MethodPatch && call.View != nil:
		p.replaceView(w, r, map[string]any{"view": call.View, "description": call.Description})
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.forward.ServeHTTP(w, r)
	}
}

// DryRunBytes is what every query would read, as dry runs are answered.
const DryRunBytes = 12345

func answerDryRun(w http.ResponseWriter, reference map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"jobReference": reference, "configuration": map[string]any{"query": map[string]any{}, "dryRun": true}, "status": map[string]any{"state": "DONE"},
		"statistics": map[string]any{"totalBytesProcessed": strconv.Itoa(DryRunBytes), "query": map[string]any{"statementType": "SELECT"}},
	})
}

// replaceView deletes a view and creates it again, with another query.
func (p *Proxy) replaceView(w http.ResponseWriter, r *http.Request, view map[string]any) {
	list, name, _ := strings.Cut(r.URL.Path, "/tables/") // /bigquery/v2/projects/p/datasets/d
	parts := strings.Split(list, "/")
	view["tableReference"] = map[string]any{"projectId": parts[len(parts)-3], "datasetId": parts[len(parts)-1], "tableId": name}
	body, err := json.Marshal(view)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, step := range []struct{ method, path string }{{http.MethodDelete, r.URL.Path}, {http.MethodPost, list + "/tables"}, {http.MethodGet, r.URL.Path}} {
		request, err := http.NewRequestWithContext(r.Context(), step.method, step.path, bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		request.Header.Set("Content-Type", "application/json")
		answer := &recorder{header: http.Header{}, status: http.StatusOK}
		p.forward.ServeHTTP(answer, request)
		if step.method == http.MethodGet || answer.status/100 != 2 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer.status)
			_, _ = w.Write(answer.body.Bytes())
			return
		}
	}
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the answer's header.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader keeps the status.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write keeps the body.
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// CreateWriteStream forwards.
func (p *Proxy) CreateWriteStream(ctx context.Context, request *storagepb.CreateWriteStreamRequest) (*storagepb.WriteStream, error) {
	done, err := p.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return p.write.CreateWriteStream(ctx, request)
}

// GetWriteStream forwards.
func (p *Proxy) GetWriteStream(ctx context.Context, request *storagepb.GetWriteStreamRequest) (*storagepb.WriteStream, error) {
	done, err := p.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return p.write.GetWriteStream(ctx, request)
}

// FinalizeWriteStream forwards, and then answers that the stream is gone: the
// emulator does not know how many rows it has.
func (p *Proxy) FinalizeWriteStream(ctx context.Context, request *storagepb.FinalizeWriteStreamRequest) (*storagepb.FinalizeWriteStreamResponse, error) {
	done, err := p.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if _, err := p.write.FinalizeWriteStream(ctx, request); err != nil {
		return nil, err
	}
	return nil, status.Errorf(codes.NotFound, "the emulator does not count the rows of %s", request.GetName())
}

// AppendRows forwards the appends of a connection, one after another.
func (p *Proxy) AppendRows(client storagepb.BigQueryWrite_AppendRowsServer) error {
	emulator, err := p.write.AppendRows(client.Context())
	if err != nil {
		return err
	}
	name := ""
	for {
		request, err := client.Recv()
		if errors.Is(err, io.EOF) {
			return emulator.CloseSend()
		}
		if err != nil {
			return err
		}
		if request.GetWriteStream() == "" {
			request.WriteStream = name
		}
		name = request.GetWriteStream()
		response, err := p.append(client.Context(), emulator, request)
		if err != nil {
			return err
		}
		if err := client.Send(response); err != nil {
			return err
		}
	}
}

func (p *Proxy) append(ctx context.Context, emulator storagepb.BigQueryWrite_AppendRowsClient, request *storagepb.AppendRowsRequest) (*storagepb.AppendRowsResponse, error) {
	done, err := p.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := emulator.Send(request); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("forward rows: %w", err)
	}
	return emulator.Recv() // after io.EOF it has the reason
}
