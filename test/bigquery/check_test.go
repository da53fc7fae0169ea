package bigquery_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// exit is the exit code behind an error of a command.
func exit(err error) int {
	if ended, ok := err.(*exec.ExitError); ok {
		return ended.ExitCode()
	}
	return 0
}

// TestWarehouseCheckNamesMissingPermissions: what is allowed, what is missing and what to grant.
func TestWarehouseCheckNamesMissingPermissions(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{TLS: true})
	check := func(t *testing.T, code int) string {
		t.Helper()
		out, err := s.TryCommand("warehouse", "check")
		if exit(err) != code {
			t.Errorf("sparrow warehouse check ends with %v, want %d", err, code)
		}
		s.checkSecret("sparrow warehouse check", out)
		return out
	}
	t.Run("all is there", func(t *testing.T) {
		if out := check(t, 0); strings.Count(out, "ok  ") != 9 || strings.Contains(out, "missing") {
			t.Errorf("with every permission:\n%s", out)
		}
	})
	for _, c := range []struct {
		method           bigquerytest.Method
		permission, role string
	}{
		{bigquerytest.TablesInsert, "bigquery.tables.create", "roles/bigquery.dataEditor on the dataset"},
		{bigquerytest.AppendRows, "bigquery.tables.updateData", "roles/bigquery.dataEditor on the dataset"},
		{bigquerytest.JobsQuery, "bigquery.jobs.create", "roles/bigquery.jobUser on the project"},
	} {
		t.Run(c.permission, func(t *testing.T) {
			order := s.server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, Method: c.method})
			defer order.Clear()
			out := check(t, 1)
			missing := ""
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "missing") {
					missing += line
				}
			}
			if !strings.Contains(missing, c.permission) || strings.Count(missing, "\n") != 1 || !strings.Contains(out, c.role) {
				t.Errorf("without %s:\n%s", c.permission, out)
			}
		})
	}
	t.Run("BigQuery refuses the token", func(t *testing.T) {
		order := s.server.Order(bigquerytest.Fault{Kind: bigquerytest.Unauthenticated, Method: bigquerytest.DatasetsGet})
		defer order.Clear()
		if out := check(t, 1); strings.Contains(out, "grant roles") || !strings.Contains(out, "does not accept the access token") {
			t.Errorf("without a good token:\n%s", out)
		}
	})
	t.Run("the key was deleted", func(t *testing.T) {
		other := bigquerytest.Start(t, bigquerytest.Config{TLS: true})
		text, err := other.Credentials()
		if err != nil {
			t.Fatal(err)
		}
		good, err := s.server.Credentials()
		if err != nil {
			t.Fatal(err)
		}
		s.Write("key.json", strings.ReplaceAll(string(text), other.URL(), s.server.URL()))
		defer s.Write("key.json", string(good))
		if out := check(t, 1); strings.Contains(out, "grant roles") || !strings.Contains(out, "is refused: check that it is not deleted") {
			t.Errorf("with another key:\n%s", out)
		}
	})
	t.Run("BigQuery is away", func(t *testing.T) {
		s.server.Away()
		defer s.server.Back()
		if out := check(t, 1); strings.Contains(out, "grant roles") || !strings.Contains(out, "cannot be asked") {
			t.Errorf("without BigQuery:\n%s", out)
		}
	})
	t.Run("the key is no key", func(t *testing.T) {
		s.Write("key.json", `{"type":"service_account","client_email":"a@b","private_key":"hunter2"}`)
		if out := check(t, 2); !strings.Contains(out, "warehouse.credentials") || strings.Contains(out, "hunter2") {
			t.Errorf("with half a key:\n%s", out)
		}
	})
}
