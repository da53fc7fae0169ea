package bigquery_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
	"github.com/sparrow-edge/sparrow/test/harness"
)

// visit is an event as the browser SDK sends it.
const visit = `{"event":"purchase product","deviceId":"01a1fce5-57a5-7c5f-addc-7c8cc8a568b8","userId":"michelle1","eventId":"01a1fce5-57a5-7c5f-addc-%012d","timestamp":"%s","properties":{"category":"billing","productName":"workers","price":%d.99},"context":{"page":{"url":"https://dash.example.com/billing/workers?plan=pro","path":"/billing/workers","referrer":"https://dash.example.com/overview","title":"Workers - Billing"},"locale":"en-GB","screen":{"width":1920,"height":1080},"sessionId":"01a1fce5-57a5-7c5f-addc-0c8cc8a568b8","consent":{"analytics":true}}}`

// TestRowSizesAreAsDocumented measures what the price sheet counts with: the size of a row after
// BigQuery's table of data types. The sheet may differ by a tenth.
func TestRowSizesAreAsDocumented(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{Anonymous: true})
	s.Write("plan.yaml", "events:\n  purchase product:\n    properties: { category: string, productName: string, price: number }\n")
	s.Start()
	const n = 100
	for i := range n {
		at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		body := `{"events":[` + fmt.Sprintf(visit, i, at, i) + `],"sentAt":"` + at + `"}`
		a := s.Do(http.MethodPost, "/v1/events?key="+key, body, "Content-Type", "application/json", "Origin", "https://dash.example.com",
			"Referer", "https://dash.example.com/", "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36")
		if a.Status != http.StatusOK {
			t.Fatalf("POST: %d %s", a.Status, a.Body)
		}
	}
	s.Await("all rows in BigQuery", time.Minute, func() bool {
		raw, _ := s.server.Store().Count("sparrow", "raw")
		deliveries, _ := s.server.Store().Count("sparrow", "deliveries")
		return raw >= n && deliveries >= n
	})
	text, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"raw", "deliveries", "positions_log", "lanes_log"} {
		rows, sent := s.server.Store().Count("sparrow", table)
		measured := s.logicalBytes(table) / int(rows)
		t.Logf("a row of %s: %d bytes, %d as it is sent", table, measured, sent/rows)
		found := regexp.MustCompile("a row of `" + table + "` has ([0-9,]+) bytes").FindSubmatch(text)
		if found == nil {
			t.Fatalf("docs/OPERATIONS.md does not say how many bytes a row of `%s` has", table)
		}
		told, err := strconv.Atoi(strings.ReplaceAll(string(found[1]), ",", ""))
		if err != nil || measured*10 < told*9 || measured*10 > told*11 {
			t.Errorf("docs/OPERATIONS.md counts with %s bytes for a row of %s; it has %d", found[1], table, measured)
		}
	}
}

// logicalBytes is the size of a table as BigQuery bills it: a text has 2 bytes
// and its UTF-8 form, a BOOL 1, every other type here 8, NULL none.
func (s *street) logicalBytes(table string) (size int) {
	s.t.Helper()
	for row, err := range s.server.Store().Rows("sparrow", table) {
		if err != nil {
			s.t.Fatal(err)
		}
		for _, value := range row.Values {
			switch v := value.(type) {
			case nil:
			case string:
				size += 2 + len(v)
			case bool:
				size++
			default:
				size += 8
			}
		}
	}
	return size
}
