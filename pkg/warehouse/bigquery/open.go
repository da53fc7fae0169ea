package bigquery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	rest "cloud.google.com/go/bigquery"
	control "cloud.google.com/go/bigquery/storage/apiv1"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Options are what Open may be told beside the Config.
type Options struct {
	// Tokens gives the access tokens; needed unless Config.Insecure is set.
	Tokens oauth2.TokenSource
	// Settle is how long after its end a day stays open in the reconciliation.
	Settle time.Duration
	// Retention is how long partitions are kept; 0 keeps them for good.
	Retention time.Duration
	// RootCAs are the authorities to trust of endpoints that are not Google's;
	// nil for the system's.
	RootCAs *x509.CertPool
	// Logger is told of sessions that begin; nil for none.
	Logger *slog.Logger
}

// Store is a BigQuery dataset that is open as a warehouse.
type Store struct {
	config    Config
	settle    int64 // seconds
	retention time.Duration
	log       *slog.Logger
	tokens    oauth2.TokenSource
	roots     *x509.CertPool

	rest    *rest.Client
	control *control.BigQueryWriteClient // makes and finalizes streams
	writer  *managedwriter.Client        // appends to them
	idle    func()                       // closes the REST API's idle connections
	life    context.Context              // ends with Close
	end     context.CancelFunc

	queries chan struct{} // a slot for each query that runs
	// unquestioned has queries run without a dry run before; tests set it.
	unquestioned bool
	writing      chan struct{} // holds a token while nobody loads
	flights      chan struct{} // a place for each append in flight

	// What follows is guarded by writing.
	prepared bool
	session  *session
	known    *state // the newest commit this process knows of
	ended    string // a stream of positions_log that takes no rows any more

	mu      sync.Mutex
	streams map[*table]*stream // default streams
	closed  bool
}

var _ warehouse.Warehouse = (*Store)(nil)

const (
	// maxQueries is how many queries run at once; others wait.
	maxQueries = 4
	userAgent  = "sparrow-edge/sparrow"
)

// reconnect is how a lost connection is made again. The loader has a back-off of
// its own: gRPC's usual one, of up to two minutes, on top of it would keep a
// BigQuery that is back waiting.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 20 * time.Second,
}

// Open connects to the dataset. It does no call: a BigQuery that is away shows
// in the first method that needs it. The warehouse is to be closed.
func Open(ctx context.Context, config Config, options Options) (*Store, error) {
	if err := config.Check(); err != nil {
		return nil, fault.Permanent(err)
	}
	if options.Tokens == nil && !config.Insecure {
		return nil, fault.Permanent(errors.New("open warehouse: credentials are needed"))
	}
	s := &Store{
		config: config, settle: int64(options.Settle.Seconds()), retention: options.Retention, log: options.Logger, tokens: options.Tokens, roots: options.RootCAs,
		queries: make(chan struct{}, maxQueries), writing: make(chan struct{}, 1),
		flights: make(chan struct{}, config.InFlight), streams: map[*table]*stream{}, idle: func() {},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.writing <- struct{}{}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.connect(); err != nil {
		return nil, fmt.Errorf("open warehouse: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Store) connect() (err error) {
	if s.rest, err = rest.NewClient(s.life, s.config.Project, s.restOptions()...); err != nil {
		return err
	}
	s.rest.Location = s.config.Location
	if s.control, err = control.NewBigQueryWriteClient(s.life, s.storageOptions()...); err != nil {
		return err
	}
	// Whoever loads tries again, and says so: the client would first pause for
	// ten seconds, in silence.
	s.control.CallOptions = &control.BigQueryWriteCallOptions{}
	s.writer, err = managedwriter.NewClient(s.life, s.config.Project, s.storageOptions()...)
	return err
}

func (s *Store) restOptions() []option.ClientOption {
	options := []option.ClientOption{option.WithUserAgent(userAgent)}
	if s.config.Endpoint != "" {
		options = append(options, option.WithEndpoint(s.config.Endpoint+"/bigquery/v2/"))
	}
	switch {
	case s.tokens == nil:
		client := s.plainClient()
		s.idle = client.CloseIdleConnections
		return append(options, option.WithoutAuthentication(), option.WithHTTPClient(client))
	case s.roots != nil:
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}, IdleConnTimeout: time.Minute}
		s.idle = transport.CloseIdleConnections
		return append(options, option.WithHTTPClient(&http.Client{Transport: &oauth2.Transport{Source: s.tokens, Base: transport}}))
	default:
		return append(options, option.WithTokenSource(s.tokens))
	}
}

func (s *Store) storageOptions() []option.ClientOption {
	options := []option.ClientOption{option.WithUserAgent(userAgent), option.WithGRPCDialOption(grpc.WithConnectParams(reconnect))}
	if s.config.StorageEndpoint != "" {
		options = append(options, option.WithEndpoint(s.config.StorageEndpoint))
	}
	if s.config.Insecure {
		options = append(options, option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
			option.WithGRPCDialOption(grpc.WithStreamInterceptor(nameStreams)),
			option.WithGRPCDialOption(grpc.WithUnaryInterceptor(s.queueCall)), option.WithGRPCConnectionPool(1))
	}
	if s.roots != nil {
		options = append(options, option.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(s.roots, ""))))
	}
	if s.tokens == nil {
		return append(options, option.WithoutAuthentication())
	}
	return append(options, option.WithTokenSource(s.tokens))
}

// Close finalizes nothing: what was loaded is stored, and the next process
// finalizes the streams itself. It waits for the load under way.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	<-s.writing
	defer func() { s.writing <- struct{}{} }()
	s.dropSession()
	s.dropStreams()
	s.end()
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.control != nil {
		errs = append(errs, s.control.Close())
	}
	if s.rest != nil {
		errs = append(errs, s.rest.Close())
	}
	s.idle()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close warehouse: %w", err)
	}
	return nil
}

// hold waits for the token of those who write.
func (s *Store) hold(ctx context.Context) (release func(), err error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	select {
	case <-s.writing:
		return func() { s.writing <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errClosed = fault.Permanent(errors.New("the warehouse is closed"))

// path of a table as the Storage API names it.
func (s *Store) path(t *table) string {
	return fmt.Sprintf("projects/%s/datasets/%s/tables/%s", s.config.Project, s.config.Dataset, t.name)
}

func (s *Store) dataset() *rest.Dataset {
	return s.rest.DatasetInProject(s.config.Project, s.config.Dataset)
}
