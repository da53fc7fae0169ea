package bigquery

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	rest "cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// maxQuery is the longest text of a query, in bytes.
const maxQuery = 256 << 10

// Query runs one SELECT. Limits.Memory has no meaning here: time and the bytes
// that are billed (Config.MaxBilled) bound a query.
func (s *Store) Query(ctx context.Context, query string, limits warehouse.Limits, args ...any) (*warehouse.Result, error) {
	limits = limits.WithDefaults()
	late := fmt.Errorf("%w: it took longer than %s: ask for less, for instance fewer days", warehouse.ErrLimit, limits.Time)
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Time, late)
	defer cancel()
	select {
	case s.queries <- struct{}{}:
		defer func() { <-s.queries }()
	case <-ctx.Done():
		return nil, fmt.Errorf("query warehouse: wait for other queries: %w", context.Cause(ctx))
	}
	result, err := s.client.run(ctx, query, limits, args)
	if err != nil {
		return nil, fmt.Errorf("query warehouse: %w", queryError(ctx, err))
	}
	return result, nil
}

// queryError says which limit a query met, or makes an error of the query itself
// permanent.
func queryError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		if hasReason(err, "bytesBilledLimitExceeded", "responseTooLarge", "resourcesExceeded", "billingTierLimitExceeded") {
			return fmt.Errorf("%w: %s: ask for less, for instance fewer days", warehouse.ErrLimit, answer.Message)
		}
		if code := kind(err); code == codes.InvalidArgument || code == codes.NotFound {
			return fault.Permanent(errors.New(answer.Message))
		}
	}
	if failed, found := errors.AsType[*url.Error](err); found {
		return fmt.Errorf("BigQuery does not answer: %w", failed.Err)
	}
	if answer, found := errors.AsType[*rest.Error](err); found {
		return fault.Permanent(errors.New(answer.Message))
	}
	return judged(err)
}

// query prepares a user's query. It reads the dataset's tables by their short
// names. The comment shows in the project's list of jobs who asks.
func (c *client) query(text string, args []any, limits warehouse.Limits) *rest.Query {
	q := c.rest.Query(text + "\n/* sparrow: " + c.config.Dataset + " */")
	q.DefaultProjectID, q.DefaultDatasetID, q.Location = c.config.Project, c.config.Dataset, c.config.Location
	q.MaxBytesBilled = int64(c.config.MaxBilled)
	q.JobTimeout = limits.Time
	for i, arg := range args {
		q.Parameters = append(q.Parameters, rest.QueryParameter{Name: "p" + strconv.Itoa(i+1), Value: arg})
	}
	return q
}

// maxDryRun bounds a dry run, which BigQuery answers within a second or two. The
// REST client would otherwise retry until the query's own time is over.
const maxDryRun = 15 * time.Second

// errNoAnswer is not permanent: the query may be right.
var errNoAnswer = fmt.Errorf("BigQuery does not answer within %s", maxDryRun)

// run asks BigQuery what the query would do (a dry run) before it runs it.
func (c *client) run(ctx context.Context, query string, limits warehouse.Limits, args []any) (*warehouse.Result, error) {
	text, err := selection(query)
	if err != nil {
		return nil, fault.Permanent(err)
	}
	status, err := c.dryRun(ctx, text, limits, args)
	if err != nil {
		return nil, err
	}
	if err := c.onlyReads(status); err != nil {
		return nil, fault.Permanent(err)
	}
	it, err := c.query(text, args, limits).Read(ctx)
	if err != nil {
		return nil, err
	}
	return collect(it, limits)
}

func (c *client) dryRun(ctx context.Context, text string, limits warehouse.Limits, args []any) (*rest.JobStatus, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxDryRun, errNoAnswer)
	defer cancel()
	trial := c.query(text, args, limits)
	trial.DryRun = true
	job, err := trial.Run(ctx)
	if context.Cause(ctx) == errNoAnswer {
		return nil, errNoAnswer
	}
	if err != nil {
		return nil, err
	}
	return job.LastStatus(), nil
}

// onlyReads checks a dry run's answer: the query may only read this dataset.
func (c *client) onlyReads(status *rest.JobStatus) error {
	if status == nil || status.Statistics == nil {
		return nil
	}
	details, ok := status.Statistics.Details.(*rest.QueryStatistics)
	if !ok {
		return errOnlySelect
	}
	if details.StatementType != "" && details.StatementType != "SELECT" {
		return fmt.Errorf("it is a %s: %w", strings.ToLower(details.StatementType), errOnlySelect)
	}
	for _, t := range details.ReferencedTables {
		if t.ProjectID != c.config.Project || t.DatasetID != c.config.Dataset {
			return fmt.Errorf("it reads %s.%s.%s: only the tables and views of %s are allowed", t.ProjectID, t.DatasetID, t.TableID, c.config.Dataset)
		}
	}
	return nil
}

func collect(it *rest.RowIterator, limits warehouse.Limits) (*warehouse.Result, error) {
	it.PageInfo().MaxSize = min(limits.Rows+1, 10_000)
	result := &warehouse.Result{Rows: [][]any{}}
	size := quantity.Size(0)
	for {
		var values []rest.Value
		err := it.Next(&values)
		if result.Columns == nil {
			for _, f := range it.Schema {
				result.Columns = append(result.Columns, warehouse.ResultColumn{Name: f.Name, Type: columnType(f)})
			}
		}
		if errors.Is(err, iterator.Done) {
			return result, nil
		}
		if err != nil {
			return nil, err
		}
		row := make([]any, len(values))
		for i, v := range values {
			row[i] = cell(v, it.Schema[i])
			size += 16
			if text, ok := row[i].(string); ok {
				size += quantity.Size(len(text))
			}
		}
		if len(result.Rows) == limits.Rows || size > limits.Bytes {
			result.Truncated = true
			return result, nil
		}
		result.Rows = append(result.Rows, row)
	}
}
