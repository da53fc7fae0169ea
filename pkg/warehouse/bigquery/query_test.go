package bigquery_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
)

// judge answers dry runs as BigQuery does: it says what a query is, reads, and
// costs. It never runs one: a job that is no dry run is noted.
type judge struct {
	statement string
	reads     map[string]any // a table's reference; nil for none
	fails     map[string]any // an error's item; nil for none
	ran       []string       // queries that were no dry runs
}

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var job struct {
		Configuration struct {
			DryRun bool
			Query  struct {
				Query              string
				MaximumBytesBilled string
			}
		}
	}
	if err := json.Unmarshal(body, &job); err != nil || job.Configuration.Query.MaximumBytesBilled == "" {
		http.Error(w, "a job without a limit", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !job.Configuration.DryRun {
		j.ran = append(j.ran, job.Configuration.Query.Query)
	}
	if j.fails != nil || !job.Configuration.DryRun {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": 400, "message": "it ran", "errors": []any{j.fails}}})
		return
	}
	query := map[string]any{"statementType": j.statement}
	if j.reads != nil {
		query["referencedTables"] = []any{j.reads}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"jobReference": map[string]any{"projectId": "test", "jobId": "j", "location": "US"}, "configuration": map[string]any{"query": map[string]any{}, "dryRun": true},
		"status": map[string]any{"state": "DONE"}, "statistics": map[string]any{"query": query},
	})
}

// open opens a store whose REST API is the judge's.
func (j *judge) open(t *testing.T) *bigquery.Store {
	t.Helper()
	server := httptest.NewTLSServer(j)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	config := bigquery.DefaultConfig()
	config.Project, config.Endpoint, config.StorageEndpoint = "test", server.URL, "127.0.0.1:1"
	s, err := bigquery.Open(context.Background(), config, bigquery.Options{
		Tokens: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "x", Expiry: time.Now().Add(time.Hour)}), RootCAs: roots,
	})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// TestDryRunDecides: what BigQuery says that a query would do decides whether it
// runs, however innocent its text.
func TestDryRunDecides(t *testing.T) {
	own := map[string]any{"projectId": "test", "datasetId": "sparrow", "tableId": "raw"}
	for _, tt := range []struct {
		name  string
		judge judge
		runs  bool
		says  string
		limit bool
	}{
		{"a selection", judge{statement: "SELECT", reads: own}, true, "it ran", false},
		{"a deletion", judge{statement: "DELETE", reads: own}, false, "it is a delete: only one SELECT is allowed", false},
		{"a script", judge{statement: "SCRIPT"}, false, "it is a script", false},
		{"another dataset", judge{statement: "SELECT", reads: map[string]any{"projectId": "test", "datasetId": "payroll", "tableId": "salaries"}}, false, "it reads test.payroll.salaries", false},
		{"another project", judge{statement: "SELECT", reads: map[string]any{"projectId": "other", "datasetId": "sparrow", "tableId": "raw"}}, false, "it reads other.sparrow.raw", false},
		{"too dear", judge{fails: map[string]any{"reason": "bytesBilledLimitExceeded", "message": "Query exceeded limit for bytes billed"}}, false, "ask for less", true},
		{"nonsense", judge{fails: map[string]any{"reason": "invalidQuery", "message": "Syntax error"}}, false, "it ran", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := tt.judge
			_, err := j.open(t).Query(t.Context(), "select * from raw", warehouse.Limits{})
			if err == nil || !strings.Contains(err.Error(), tt.says) || errors.Is(err, warehouse.ErrLimit) != tt.limit {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
			if ran := len(j.ran) > 0; ran != tt.runs {
				t.Errorf("it ran: %t, want %t", ran, tt.runs)
			}
			if !tt.limit && !fault.IsPermanent(err) {
				t.Errorf("error %v is not permanent", err)
			}
		})
	}
}
