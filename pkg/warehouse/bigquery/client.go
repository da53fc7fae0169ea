package bigquery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cloud.google.com/go/civil"

	rest "cloud.google.com/go/bigquery"
	control "cloud.google.com/go/bigquery/storage/apiv1"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"golang.org/x/oauth2"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// client is the connection to one dataset. Its methods may be called at any time
// by several goroutines.
type client struct {
	config  Config
	rest    *rest.Client
	control *control.BigQueryWriteClient // creates and finalizes streams
	rows    *managedwriter.Client        // appends to streams
	slots   chan struct{}                // one for each append in flight
	life    context.Context              // ends with close
	closers []func() error
}

const userAgent = "sparrow-edge/sparrow"

// reconnect replaces gRPC's own back-off of up to two minutes. The loader backs
// off already; gRPC's waits on top of that would delay loading after BigQuery is
// back.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 20 * time.Second,
}

// newClient makes no call: a BigQuery that does not answer shows in the first
// method that needs it.
func newClient(ctx context.Context, config Config, options Options) (c *client, err error) {
	c = &client{config: config, slots: make(chan struct{}, config.InFlight)}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	c.life, c.closers = life, []func() error{func() error { end(); return nil }}
	opened := c
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.close())
		}
	}()
	if c.rest, err = rest.NewClient(c.life, config.Project, c.restOptions(options)...); err != nil {
		return nil, err
	}
	c.rest.Location = config.Location
	c.closers = append(c.closers, c.rest.Close)
	storage := c.storageOptions(options)
	if c.control, err = control.NewBigQueryWriteClient(c.life, storage...); err != nil {
		return nil, err
	}
	c.closers = append(c.closers, c.control.Close)
	// The loader tries again and reports it. The client's own retries would wait
	// ten seconds first and report nothing.
	c.control.CallOptions = &control.BigQueryWriteCallOptions{}
	if c.rows, err = managedwriter.NewClient(c.life, config.Project, storage...); err != nil {
		return nil, err
	}
	c.closers = append(c.closers, c.rows.Close)
	return c, nil
}

func (c *client) restOptions(o Options) []option.ClientOption {
	options := []option.ClientOption{option.WithUserAgent(userAgent)}
	if c.config.Endpoint != "" {
		options = append(options, option.WithEndpoint(c.config.Endpoint+"/bigquery/v2/"))
	}
	if o.Tokens != nil && o.RootCAs == nil {
		return append(options, option.WithTokenSource(o.Tokens))
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}
	c.closers = append(c.closers, func() error { transport.CloseIdleConnections(); return nil })
	if o.Tokens == nil {
		return append(options, option.WithoutAuthentication(), option.WithHTTPClient(&http.Client{Transport: transport}))
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}
	return append(options, option.WithHTTPClient(&http.Client{Transport: &oauth2.Transport{Source: o.Tokens, Base: transport}}))
}

func (c *client) storageOptions(o Options) []option.ClientOption {
	options := []option.ClientOption{option.WithUserAgent(userAgent), option.WithGRPCDialOption(grpc.WithConnectParams(reconnect))}
	if c.config.StorageEndpoint != "" {
		options = append(options, option.WithEndpoint(c.config.StorageEndpoint))
	}
	if c.config.Insecure {
		options = append(options, option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	} else if o.RootCAs != nil {
		options = append(options, option.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(o.RootCAs, ""))))
	}
	if o.Tokens == nil {
		return append(options, option.WithoutAuthentication())
	}
	return append(options, option.WithTokenSource(o.Tokens))
}

func (c *client) close() error {
	var errs []error
	for _, closer := range c.closers {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}

// bounded limits ctx to one call, or a few that belong together. Without it the
// REST client would retry for as long as ctx lasts.
func (c *client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.config.Timeout)
}

func (c *client) dataset() *rest.Dataset {
	return c.rest.DatasetInProject(c.config.Project, c.config.Dataset)
}

func (c *client) table(t *table) *rest.Table { return c.dataset().Table(t.name) }

// path is the table's name in the Storage API.
func (c *client) path(t *table) string {
	return fmt.Sprintf("projects/%s/datasets/%s/tables/%s", c.config.Project, c.config.Dataset, t.name)
}

func (c *client) dialect() Dialect { return Dialect{c.config.Project, c.config.Dataset} }

// named is the table's name in SQL.
func (c *client) named(t *table) string { return c.dialect().Table(t.name) }

// count counts a table's rows under a condition.
func (c *client) count(ctx context.Context, t *table, condition string, parameters map[string]any) (int64, error) {
	rows, err := c.read(ctx, "select count(*) from "+c.named(t)+" where "+condition, parameters)
	if err != nil {
		return 0, err
	}
	return as[int64](rows[0][0]), nil
}

// as is the cell of a row that read returned; NULL is the zero value.
func as[T any](cell rest.Value) T {
	v, _ := cell.(T)
	return v
}

// asDay is the cell of a DATE; NULL is the zero value.
func asDay(cell rest.Value) time.Time {
	date, found := cell.(civil.Date)
	if !found {
		return time.Time{}
	}
	return date.In(time.UTC)
}

// createDataset creates the dataset unless it exists.
func (c *client) createDataset(ctx context.Context) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	_, err := c.dataset().Metadata(ctx)
	if kind(err) != codes.NotFound {
		return err
	}
	err = c.dataset().Create(ctx, &rest.DatasetMetadata{
		Location: c.config.Location, Description: "Sparrow: raw events, what became of each, and the views over them.",
	})
	if kind(err) == codes.AlreadyExists {
		return nil // another process was faster
	}
	return err
}

// read runs one of the adapter's own queries and returns its rows. The size of
// the tables bounds its cost.
func (c *client) read(ctx context.Context, query string, parameters map[string]any) (rows [][]rest.Value, err error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return c.readAll(ctx, c.rest.Query(query), parameters)
}

// readSlow is read of a query that counts a whole day: it may take longer, and be
// billed for as much as a user's query.
func (c *client) readSlow(ctx context.Context, query string) ([][]rest.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	q := c.rest.Query(query)
	q.MaxBytesBilled = int64(c.config.MaxBilled)
	return c.readAll(ctx, q, nil)
}

// cost is how many bytes a query would read, by a dry run.
func (c *client) cost(ctx context.Context, query string) (int64, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	q := c.rest.Query(query)
	q.Location, q.DryRun = c.config.Location, true
	job, err := q.Run(ctx)
	if err != nil {
		return 0, err
	}
	status := job.LastStatus()
	if status == nil || status.Statistics == nil {
		return 0, errors.New("BigQuery does not say how many bytes the query would read")
	}
	return status.Statistics.TotalBytesProcessed, nil
}

func (c *client) readAll(ctx context.Context, q *rest.Query, parameters map[string]any) (rows [][]rest.Value, err error) {
	q.Location = c.config.Location
	q.DisableQueryCache = true // the adapter asks for the newest rows
	for name, value := range parameters {
		q.Parameters = append(q.Parameters, rest.QueryParameter{Name: name, Value: value})
	}
	it, err := q.Read(ctx)
	if err != nil {
		return nil, judged(err)
	}
	for {
		var row []rest.Value
		switch err := it.Next(&row); {
		case err == iterator.Done:
			return rows, nil
		case err != nil:
			return nil, judged(err)
		}
		rows = append(rows, row)
	}
}
