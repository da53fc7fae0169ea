package bigquery_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// TestExceededQuotaOnlyDelaysRows: a while of exceeded quota delays the rows, and nothing else.
func TestExceededQuotaOnlyDelaysRows(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{Anonymous: true})
	s.Start()
	s.post("before", 20)
	s.awaitStored(time.Minute)
	const lasts = 10 * time.Second
	begun := time.Now()
	order := s.server.Order(bigquerytest.Fault{Kind: bigquerytest.QuotaExceeded, Method: bigquerytest.AppendRows, For: lasts})
	s.post("meanwhile", 20)
	s.Await("the quota to be met", 10*time.Second, func() bool { return order.Hits() > 0 })
	s.Await("the vendor to have it all", 8*time.Second, func() bool { return s.vendor.Taken.Total() == 40 })
	s.awaitStored(time.Minute)
	if took := time.Since(begun); took < lasts {
		t.Errorf("all rows are stored after %v: nothing is proved", took)
	}
	// Asked again after two seconds at the soonest, and by few calls at once.
	if n := order.Hits(); n > 60 {
		t.Errorf("%d appends in %v while over the quota", n, lasts)
	}
	s.checkIssue(away)
	if !strings.Contains(s.sentry.Raw(), "over a quota of BigQuery") {
		t.Error("Sentry does not hear that it is a quota")
	}
}

// TestLoadingGoesOnAfterTablesChange: somebody takes a column away, then a table, then
// the log of commits.
func TestLoadingGoesOnAfterTablesChange(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{Anonymous: true})
	s.Start()
	s.post("before", 20)
	s.awaitStored(time.Minute)

	if !s.server.Store().DropColumn("sparrow", "raw", "usable") {
		t.Fatal("raw has no column usable")
	}
	s.post("column", 20)
	s.awaitStored(time.Minute)

	if !s.server.Store().DropTable("sparrow", "positions_log") {
		t.Fatal("there is no log of commits")
	}
	s.post("log", 20)
	s.awaitStored(time.Minute)

	if !s.server.Store().DropTable("sparrow", "raw") {
		t.Fatal("there is no table raw")
	}
	clear(s.posted) // what it held is gone with it, but for what no commit covered
	s.post("table", 20)
	s.awaitStored(time.Minute)
	s.Kill()
	s.Start()
	s.post("restarted", 20)
	s.awaitStored(time.Minute)
	s.Await("the vendor to have it all", 30*time.Second, func() bool { return s.vendor.Taken.Total() == 100 })
}

// TestLostAnswersStoreRowsOnce: rows are stored, and nobody says so: streams that close after
// they committed, connections that are reset, streams that are gone.
func TestLostAnswersStoreRowsOnce(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{Anonymous: true})
	s.Start()
	s.post("before", 10)
	s.awaitStored(time.Minute)
	for i, f := range []bigquerytest.Fault{
		{Kind: bigquerytest.CloseAfterCommit, Method: bigquerytest.AppendRows, Table: "raw", Calls: 1},
		{Kind: bigquerytest.ResetAfterCommit, Method: bigquerytest.AppendRows, Table: "deliveries", Calls: 1},
		{Kind: bigquerytest.CloseAfterCommit, Method: bigquerytest.AppendRows, Table: "positions_log", Calls: 1},
		{Kind: bigquerytest.StreamGone, Method: bigquerytest.AppendRows, Table: "raw", Calls: 1},
		{Kind: bigquerytest.Hang, Method: bigquerytest.AppendRows, Table: "raw", Calls: 1},
	} {
		order := s.server.Order(f)
		s.post(fmt.Sprintf("fault-%d", i), 10)
		s.Await(string(f.Kind)+" to be met", 30*time.Second, func() bool { return order.Hits() > 0 })
		s.awaitStored(time.Minute)
	}
	s.Await("the outcomes in BigQuery", time.Minute, func() bool {
		rows, _ := s.server.Store().Count("sparrow", "deliveries")
		return int(rows) >= len(s.posted)
	})
	s.Stop(30 * time.Second)
	outcomes := map[string]int{}
	for receipt, err := range s.server.Store().Texts("sparrow", "deliveries", "receipt") {
		if err != nil {
			t.Fatal(err)
		}
		if outcomes[receipt]++; outcomes[receipt] > 1 {
			t.Errorf("deliveries holds the outcome of %s twice", receipt)
		}
	}
	s.checkStored(s.posted, s.sent)
	s.checkIssue(away)
}

// TestLargeRowsAreStoredOrQuarantined: 12 MB are over what the journal takes at once, and are refused
// at the door. Almost 8 MB are stored whole; bytes that are no text become larger
// than a row can be, and go to quarantine without holding up the others.
func TestLargeRowsAreStoredOrQuarantined(t *testing.T) {
	t.Parallel()
	s := newStreet(t, bigquerytest.Config{Anonymous: true})
	s.Start()
	large := func(id string, size int) string {
		return fmt.Sprintf(`{"event":"counted","deviceId":"d","eventId":"%s","properties":{"id":"%s"}}`, id, strings.Repeat("x", size))
	}
	if status, answer := s.Post(key, large("twelve", 12_000_000)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("12 MB: status %d: %s", status, answer)
	}
	s.post("before", 3)
	if status, answer := s.Post(key, large("eight", 8_000_000)); status != http.StatusOK {
		t.Fatalf("8 MB: status %d: %s", status, answer)
	}
	s.posted["eight"] = true
	if status, answer := s.Post(key, strings.Repeat("\xff", 7_500_000)); status != http.StatusBadRequest || !strings.Contains(answer, "malformed") {
		t.Fatalf("7.5 MB that are no text: status %d: %.200s", status, answer)
	}
	s.post("after", 3)
	const records = 8
	s.Await("all rows in BigQuery", time.Minute, func() bool {
		rows, _ := s.server.Store().Count("sparrow", "raw")
		return rows >= records
	})
	whole, empty := 0, 0
	for row, err := range s.server.Store().Rows("sparrow", "raw") {
		if err != nil {
			t.Fatal(err)
		}
		switch data, _ := row.Values["data"].(string); {
		case row.Values["data"] == nil:
			empty++
		case row.Values["eventId"] == "eight" && data == large("eight", 8_000_000):
			whole++
		}
	}
	if rows := s.stored(); len(rows) != records || whole != 1 || empty != 1 {
		t.Errorf("%d rows, %d of the large one whole, %d without data; want %d, 1, 1", len(rows), whole, empty, records)
	}
	var reason string
	for row, err := range s.server.Store().Rows("sparrow", "quarantine_log") {
		if err != nil {
			t.Fatal(err)
		}
		reason = fmt.Sprint(row.Values["reason"])
	}
	if !strings.Contains(reason, "over the limit") {
		t.Errorf("the quarantine says %q", reason)
	}
	s.checkIssue("loader//quarantine")
}

// TestLoadingGoesOnAfterTokensExpire: a key's tokens are good for seconds, and end in mid-flight.
func TestLoadingGoesOnAfterTokensExpire(t *testing.T) {
	t.Parallel()
	// Tokens serve until half a minute before their end, connections to it.
	s := newStreet(t, bigquerytest.Config{TLS: true, TokenLife: 31 * time.Second})
	s.Start()
	s.post("before", 20)
	s.awaitStored(time.Minute)
	s.server.ExpireTokens()
	s.post("ended", 20)
	s.awaitStored(time.Minute)
	order := s.server.Order(bigquerytest.Fault{Kind: bigquerytest.Unauthenticated, Method: bigquerytest.AppendRows, EndsStream: true, Calls: 3})
	s.post("refused", 20)
	s.awaitStored(time.Minute)
	if order.Hits() == 0 {
		t.Error("no append was refused: nothing is proved")
	}
	// Connections outlive the tokens that they were opened with.
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for n := range 70 {
		s.post(fmt.Sprintf("later-%d", n), 1)
		<-tick.C
	}
	s.awaitStored(time.Minute)
	if n := s.server.Counts().Tokens; n < 4 {
		t.Errorf("%d tokens were issued: nothing is proved", n)
	}
	s.checkIssue(away)
	s.Stop(30 * time.Second)
	s.checkSecret("the log", s.Log())
	s.checkSecret("what Sentry was told", s.sentry.Raw())
}

// checkSecret: nothing of the service account's private key stands in a text.
func (s *street) checkSecret(where, text string) {
	s.t.Helper()
	credentials, err := s.server.Credentials()
	if err != nil {
		s.t.Fatal(err)
	}
	var file struct {
		Key string `json:"private_key"`
	}
	if err := json.Unmarshal(credentials, &file); err != nil {
		s.t.Fatal(err)
	}
	for _, line := range append(strings.Split(file.Key, "\n"), "PRIVATE KEY", "ya29.", "eyJ") {
		if short := len(line) < 20 && line != "PRIVATE KEY" && line != "ya29." && line != "eyJ"; !short && strings.Contains(text, line) {
			s.t.Errorf("%s shows %q of the key, or a token", where, line)
		}
	}
}
