package bigquerytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	bq "google.golang.org/api/bigquery/v2"
)

// query answers jobs.query for the adapter's read-backs.
func (c *restCall) query() (any, *restError) {
	var req bq.QueryRequest
	if err := json.Unmarshal(c.body, &req); err != nil {
		return nil, invalid("Parse error: %v", err)
	}
	if req.UseLegacySql == nil || *req.UseLegacySql {
		return nil, invalid("Legacy SQL is not part of this server: set useLegacySql to false.")
	}
	if strings.EqualFold(strings.TrimSpace(req.Query), "select 1") {
		return c.respond(&req, &relation{columns: []column{{name: "f0_", kind: "INTEGER"}}, rows: [][]any{{int64(1)}}}), nil
	}
	parameters, err := parameters(req.QueryParameters)
	if err != nil {
		return nil, restRefuse(http.StatusBadRequest, "invalidQuery", "%v", err)
	}
	answer, err := c.store.readBack(req.Query, parameters)
	if missing, found := errors.AsType[*missingTable](err); found {
		return nil, notFound("%s", missing.Error())
	}
	if err != nil {
		return nil, restRefuse(http.StatusBadRequest, "invalidQuery", "%v", err)
	}
	return c.respond(&req, answer), nil
}

// respond writes an answer as the REST API does, and remembers it.
func (c *restCall) respond(req *bq.QueryRequest, answer *relation) *bq.QueryResponse {
	response := &bq.QueryResponse{
		Kind: "bigquery#queryResponse", JobComplete: true, TotalRows: uint64(len(answer.rows)), Schema: &bq.TableSchema{},
		JobReference: &bq.JobReference{ProjectId: c.config.Project, JobId: "job_" + uuid.NewString(), Location: c.config.Location},
	}
	for _, column := range answer.columns {
		response.Schema.Fields = append(response.Schema.Fields, &bq.TableFieldSchema{Name: column.name, Type: column.kind, Mode: "NULLABLE"})
	}
	micros := req.FormatOptions != nil && req.FormatOptions.UseInt64Timestamp
	for _, row := range answer.rows {
		cells := make([]*bq.TableCell, len(row))
		for i, v := range row {
			cells[i] = &bq.TableCell{V: cell(v, answer.columns[i].kind, micros)}
		}
		response.Rows = append(response.Rows, &bq.TableRow{F: cells})
	}
	c.jobs.keep(response)
	return response
}

// results gives the answer of an earlier query once more: jobs.getQueryResults.
// The client asks for it when there were no rows.
func (c *restCall) results() (any, *restError) {
	r := c.jobs.find(c.r.PathValue("job"))
	if r == nil {
		return nil, notFound("Not found: Job %s:%s", c.config.Project, c.r.PathValue("job"))
	}
	return &bq.GetQueryResultsResponse{
		Kind: "bigquery#getQueryResultsResponse", JobComplete: true, JobReference: r.JobReference, Schema: r.Schema, Rows: r.Rows, TotalRows: r.TotalRows,
	}, nil
}

// maxJobs is how many answers are remembered.
const maxJobs = 64

// jobs are the last queries' answers, oldest first.
type jobs struct {
	mu   sync.Mutex
	list []*bq.QueryResponse
}

func (j *jobs) keep(r *bq.QueryResponse) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list = append(j.list, r)
	if len(j.list) > maxJobs {
		j.list = slices.Delete(j.list, 0, 1)
	}
}

func (j *jobs) find(id string) *bq.QueryResponse {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.list {
		if r.JobReference.JobId == id {
			return r
		}
	}
	return nil
}

// cell is a value as the REST API writes it.
func cell(v any, kind string, micros bool) any {
	switch v := v.(type) {
	case nil:
		return nil
	case time.Time:
		switch {
		case kind == "DATE":
			return v.Format(time.DateOnly)
		case micros:
			return strconv.FormatInt(v.UnixMicro(), 10)
		default:
			return strconv.FormatFloat(float64(v.UnixMicro())/1e6, 'E', -1, 64)
		}
	default:
		return fmt.Sprint(v)
	}
}

// parameters reads named parameters of the scalar types.
func parameters(given []*bq.QueryParameter) (values, error) {
	list := make(values, len(given))
	for _, p := range given {
		if p.ParameterType == nil || p.ParameterValue == nil || p.Name == "" {
			return nil, errors.New("a parameter needs a name, a type and a value")
		}
		v, err := parameterValue(p.ParameterType.Type, p.ParameterValue.Value)
		if err != nil {
			return nil, fmt.Errorf("query parameter '%s': %w", p.Name, err)
		}
		list[strings.ToLower(p.Name)] = v
	}
	return list, nil
}

func parameterValue(kind, text string) (any, error) {
	switch kind {
	case "STRING":
		return text, nil
	case "INT64", "INTEGER":
		return strconv.ParseInt(text, 10, 64)
	case "BOOL", "BOOLEAN":
		return strconv.ParseBool(text)
	case "DATE":
		return time.Parse(time.DateOnly, text)
	case "TIMESTAMP":
		for _, layout := range []string{"2006-01-02 15:04:05.999999-07:00", time.RFC3339Nano} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.UTC(), nil
			}
		}
	}
	return nil, fmt.Errorf("a %s is not taken", kind)
}
