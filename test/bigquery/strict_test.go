package bigquery_test

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

const key = "pk_bigquery_test"

// config is of a gateway on a BigQuery that is described by what stands for the
// first verb. The strict server has no DML, so that rows are kept for good.
const config = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 512MiB, minFree: 0B }
limits: { body: 20MiB, inflated: 20MiB, event: 16MiB }
warehouse: { kind: bigquery, project: test, dataset: sparrow, retention: 0s, timeout: 2s, drain: 2s, %s }
sources: [{ name: site, keys: [pk_bigquery_test] }]
sentry: { dsn: "%s" }
trackers:
  - { kind: amplitude, apiKey: test-api-key, baseURL: "%s" }
`

const trackingPlan = `events:
  counted:
    properties: { n: integer, id: string }
`

// street is a gateway between a strict BigQuery, a vendor and a Sentry.
type street struct {
	*harness.Gateway
	t      *testing.T
	server *bigquerytest.Server
	vendor *amplitudetest.Server
	sentry *harness.Sentry
	posted map[string]bool // the ids of what was acknowledged and must be in raw
	sent   map[string]bool // and of everything that was posted
}

// newStreet makes one whose gateway is not started yet.
func newStreet(t *testing.T, c bigquerytest.Config) *street {
	t.Helper()
	s := &street{t: t, server: bigquerytest.Start(t, c), vendor: amplitudetest.New(amplitudetest.Options{}), sentry: harness.NewSentry(t), posted: map[string]bool{}, sent: map[string]bool{}}
	vendor := httptest.NewServer(s.vendor)
	t.Cleanup(vendor.Close)
	files := map[string]string{"plan.yaml": trackingPlan}
	warehouse := fmt.Sprintf(`insecure: true, endpoint: "%s", storageEndpoint: "%s"`, s.server.URL(), s.server.GRPCAddress())
	if c.TLS {
		warehouse = fmt.Sprintf(`credentials: "${file:key.json}", endpoint: "%s", storageEndpoint: "%s"`, s.server.URL(), s.server.GRPCAddress())
		credentials, err := s.server.Credentials()
		if err != nil {
			t.Fatal(err)
		}
		files["key.json"] = string(credentials)
	}
	files["sparrow.yaml"] = fmt.Sprintf(config, warehouse, s.sentry.DSN, vendor.URL)
	s.Gateway = harness.New(t, files, "serve")
	if c.TLS {
		// The process trusts the server's certificate as it trusts Google's.
		s.Env = []string{"SSL_CERT_FILE=" + certificate(t, s.server.URL(), s.Dir)}
	}
	return s
}

// certificate writes down the certificate that a server shows.
func certificate(t *testing.T, url, dir string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	block := &pem.Block{Type: "CERTIFICATE", Bytes: conn.ConnectionState().PeerCertificates[0].Raw}
	file := filepath.Join(dir, "certificate.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func counted(id string, n int) string {
	return fmt.Sprintf(`{"event":"counted","deviceId":"device-%d","eventId":"%s","properties":{"n":%d,"id":"%s"}}`, n%50, id, n, id)
}

// post posts n events, each of which must be taken.
func (s *street) post(prefix string, n int) {
	s.t.Helper()
	for i := range n {
		id := fmt.Sprintf("%s-%d", prefix, i+1)
		if status, answer := s.Post(key, counted(id, i)); status != http.StatusOK {
			s.t.Fatalf("POST: status %d: %s", status, answer)
		}
		s.posted[id], s.sent[id] = true, true
	}
}

// stored counts the rows of raw by event id, those that are marked as duplicates
// left out, after the server's own record.
func (s *street) stored() map[string]int {
	s.t.Helper()
	rows := map[string]int{}
	receipts := map[string]bool{}
	for row, err := range s.server.Store().Rows("sparrow", "raw") {
		if err != nil {
			s.t.Fatal(err)
		}
		receipt := fmt.Sprint(row.Values["receipt"])
		if receipts[receipt] {
			s.t.Errorf("raw holds a record twice: %s", receipt)
		}
		receipts[receipt] = true
		if row.Values["duplicate"] != true {
			rows[fmt.Sprint(row.Values["eventId"])]++
		}
	}
	return rows
}

// awaitStored waits until raw holds everything that was posted, each once.
func (s *street) awaitStored(bound time.Duration) {
	s.t.Helper()
	s.Await("all rows in BigQuery", bound, func() bool {
		rows := s.stored()
		for id := range s.posted {
			if rows[id] == 0 {
				return false
			}
		}
		return true
	})
	s.checkStored(s.posted, s.sent)
}

// checkStored: raw has what was acknowledged, nothing that was not sent, and
// nothing twice.
func (s *street) checkStored(acknowledged, sent map[string]bool) {
	s.t.Helper()
	rows := s.stored()
	for id := range acknowledged {
		if rows[id] != 1 {
			s.t.Errorf("%s was acknowledged and has %d rows in raw, want 1", id, rows[id])
		}
	}
	for id, n := range rows {
		if n > 1 || !sent[id] {
			s.t.Errorf("%s has %d rows in raw; it was sent: %v", id, n, sent[id])
		}
	}
}

// metric reads a metric without labels.
func (s *street) metric(name string) float64 {
	s.t.Helper()
	for line := range strings.Lines(s.Do(http.MethodGet, "/metrics", "").Body) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name+" "); found {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	s.t.Fatalf("there is no metric %s", name)
	return 0
}

// issues are the groups of incidents that Sentry was told of.
func (s *street) issues() map[string]int {
	s.t.Helper()
	groups := map[string]int{}
	for _, e := range s.sentry.Events(s.t) {
		groups[e.Group()]++
	}
	return groups
}

// checkIssue: Sentry has this issue, and no other.
func (s *street) checkIssue(want string) {
	s.t.Helper()
	s.Await("the issue at Sentry", 30*time.Second, func() bool { return s.issues()[want] > 0 })
	if groups := s.issues(); len(groups) != 1 {
		s.t.Errorf("Sentry has the issues %v, want %s alone", groups, want)
	}
}
