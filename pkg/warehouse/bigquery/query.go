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

var done = iterator.Done

// maxQuery is the longest text of a query, in bytes.
const maxQuery = 256 << 10

// Query runs one SELECT. Limits.Memory has no meaning here: what bounds a query
// is its time and the bytes it is billed for (Config.MaxBilled).
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
	text, err := selection(query)
	if err != nil {
		return nil, fmt.Errorf("query warehouse: %w", fault.Permanent(err))
	}
	result, err := s.run(ctx, text, limits, args)
	if err != nil {
		return nil, fmt.Errorf("query warehouse: %w", queryError(ctx, err))
	}
	return result, nil
}

// queryError says which limit a query met, or that the fault is its own.
func queryError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		for _, item := range answer.Errors {
			switch item.Reason {
			case "bytesBilledLimitExceeded", "responseTooLarge", "resourcesExceeded", "billingTierLimitExceeded":
				return fmt.Errorf("%w: %s: ask for less, for instance fewer days", warehouse.ErrLimit, item.Message)
			}
		}
		if code := kind(err); code == codes.InvalidArgument || code == codes.NotFound {
			return fault.Permanent(errors.New(answer.Message))
		}
	}
	if failed, found := errors.AsType[*url.Error](err); found {
		return fmt.Errorf("BigQuery does not answer: %w", failed.Err)
	}
	if told, found := errors.AsType[*rest.Error](err); found {
		return fault.Permanent(errors.New(told.Message))
	}
	return judged(err)
}

// query prepares a user's query. It sees the dataset's tables by their names
// alone.
func (s *Store) query(text string, args []any, limits warehouse.Limits) *rest.Query {
	// The comment says who asks, in the project's list of jobs; and the emulator
	// takes a text that it has seen for a question to the dataset of that time.
	q := s.rest.Query(text + "\n/* sparrow: " + s.config.Dataset + " */")
	q.DefaultProjectID, q.DefaultDatasetID, q.Location = s.config.Project, s.config.Dataset, s.config.Location
	q.MaxBytesBilled = int64(s.config.MaxBilled)
	q.JobTimeout = limits.Time
	for i, arg := range args {
		q.Parameters = append(q.Parameters, rest.QueryParameter{Name: "p" + strconv.Itoa(i+1), Value: arg})
	}
	return q
}

// maxDryRun bounds the question what a query is, which BigQuery answers within a
// second or two. The client would ask one that is away again and again.
const maxDryRun = 15 * time.Second

// errNoAnswer is not the query's fault.
var errNoAnswer = fmt.Errorf("BigQuery does not answer within %s", maxDryRun)

// run has BigQuery say what the query is before it runs it.
func (s *Store) run(ctx context.Context, text string, limits warehouse.Limits, args []any) (*warehouse.Result, error) {
	if !s.unquestioned {
		status, err := s.dryRun(ctx, text, limits, args)
		if err != nil {
			return nil, err
		}
		if err := s.harmless(status); err != nil {
			return nil, fault.Permanent(err)
		}
	}
	it, err := s.query(text, args, limits).Read(ctx)
	if err != nil {
		return nil, err
	}
	return collect(it, limits)
}

func (s *Store) dryRun(ctx context.Context, text string, limits warehouse.Limits, args []any) (*rest.JobStatus, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxDryRun, errNoAnswer)
	defer cancel()
	trial := s.query(text, args, limits)
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

// harmless checks what BigQuery says that a query would do: read this dataset.
func (s *Store) harmless(status *rest.JobStatus) error {
	if status == nil || status.Statistics == nil {
		return nil
	}
	details, ok := status.Statistics.Details.(*rest.QueryStatistics)
	if !ok {
		return errors.New("only one SELECT is allowed: a query can read, and nothing else")
	}
	if details.StatementType != "" && details.StatementType != "SELECT" {
		return fmt.Errorf("it is a %s: only one SELECT is allowed: a query can read, and nothing else", strings.ToLower(details.StatementType))
	}
	for _, t := range details.ReferencedTables {
		if t.ProjectID != s.config.Project || t.DatasetID != s.config.Dataset {
			return fmt.Errorf("it reads %s.%s.%s: only the tables and views of %s are allowed", t.ProjectID, t.DatasetID, t.TableID, s.config.Dataset)
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
		if errors.Is(err, done) {
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
