package bigquery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// TestDroppedTableIsMadeAgain: a table that is gone is made anew, and loading goes on. What
// comes after is there once, in every table; what was in the others stays.
func TestDroppedTableIsMadeAgain(t *testing.T) {
	for _, table := range []string{
		"raw", "deliveries", "filtered_log", "leaks_log", "names_log", "lanes_log", "positions_log", "quarantine_log", "columns_log", "sums_log",
	} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
			w := strict(t, server, nil)
			persist(t, w, messages(t, 1, 4))
			if !server.Store().DropTable("sparrow", table) {
				t.Fatal("no such table")
			}
			persist(t, w, messages(t, 4, 9))
			must(t, w.Close())
			w = strict(t, server, nil) // what was committed is known to the next process
			persist(t, w, messages(t, 1, 12))
			for counted, each := range map[string]int{"raw": 3, "deliveries": 2, "filtered_log": 1, "leaks_log": 1} {
				want := 11 * each
				if counted == table {
					want = 8 * each
				}
				if got, _ := server.Store().Count("sparrow", counted); int(got) != want {
					t.Errorf("%s: %d rows, want %d", counted, got, want)
				}
			}
		})
	}
}

// TestDroppedTableIsMadeAgainAfterPermissionDenied: where the Storage API says that permission is
// denied "(or it may not exist)", the tables are looked after.
func TestDroppedTableIsMadeAgainAfterPermissionDenied(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 4))
	server.Store().DropTable("sparrow", "raw")
	for _, method := range []bigquerytest.Method{bigquerytest.AppendRows, bigquerytest.FinalizeWriteStream} {
		defer server.Order(bigquerytest.Fault{Kind: bigquerytest.PermissionDenied, Method: method, Table: "raw"}).Clear()
	}
	for range 2 {
		if err := w.Load(t.Context(), messages(t, 4, 9)); !errors.Is(err, bigquery.ErrPermission) {
			t.Fatalf("error %v, want that permission is denied", err)
		}
	}
	if !server.Store().DropTable("sparrow", "raw") {
		t.Error("the table was not made anew")
	}
}

// TestPositionsAreRecoveredWithoutCommits: without its log of commits a process that starts anew
// learns from raw how far it is loaded.
func TestPositionsAreRecoveredWithoutCommits(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 6))
	must(t, w.Close())
	server.Store().DropTable("sparrow", "positions_log")
	w = strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	positions, err := w.Positions(t.Context())
	must(t, err)
	for _, m := range positions {
		if got := m.Next.Seq; (m.Stream == warehouse.OutcomesStream && got != 6) || (m.Stream == warehouse.EventsStream && m.Next.Before(event.Position{Seq: 5, Index: 3})) {
			t.Errorf("position %v", m)
		}
	}
	persist(t, w, messages(t, 1, 9))
	checkRows(t, server, 9)
}

// TestMissingColumnIsAdded: a column that was dropped, or that came with a newer
// release, is added, when loading begins or in its midst.
func TestMissingColumnIsAdded(t *testing.T) {
	for _, c := range [][2]string{{"deliveries", "source"}, {"deliveries", "release"}, {"raw", "usable"}, {"positions_log", "loaded"}, {"lanes_log", "reportSeq"}} {
		for _, restart := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/restart=%t", c[0], restart), func(t *testing.T) {
				t.Parallel()
				server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
				w := strict(t, server, nil)
				persist(t, w, messages(t, 1, 4))
				if !server.Store().DropColumn("sparrow", c[0], c[1]) {
					t.Fatal("no such column")
				}
				if restart {
					must(t, w.Close())
					w = strict(t, server, nil)
				}
				persist(t, w, messages(t, 4, 9))
				persist(t, w, messages(t, 9, 12))
				checkRows(t, server, 12)
			})
		}
	}
}

// TestLoadingWaitsForANewColumn: the service takes a while to let rows have a column
// that was added. Loading waits for it, and each row is stored once.
func TestLoadingWaitsForANewColumn(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 4))
	must(t, w.Close())
	server.Store().DropColumn("sparrow", "raw", "usable")
	server.Order(bigquerytest.Fault{Kind: bigquerytest.StaleSchema, Table: "raw", For: time.Second})
	w = strict(t, server, nil)
	if failures := persist(t, w, messages(t, 4, 9)); len(failures) == 0 {
		t.Error("nothing was late")
	}
	checkRows(t, server, 9)
}

// TestColumnsAreStoredInOneRequest: a set of columns is stored in one request, however long
// its descriptions: half a set would hide the other half.
func TestColumnsAreStoredInOneRequest(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	var columns []warehouse.Column
	for i := range 700 {
		columns = append(columns, warehouse.Column{Name: fmt.Sprintf("c%d", i), Property: fmt.Sprintf("p%d", i), Type: warehouse.TypeString, Description: strings.Repeat("long ", 350)})
	}
	before := server.Counts().Calls[bigquerytest.AppendRows]
	must(t, w.ApplyViews(t.Context(), columns, false))
	if n := server.Counts().Calls[bigquerytest.AppendRows] - before; n != 1 {
		t.Errorf("%d appends, want 1", n)
	}
	if n, _ := server.Store().Count("sparrow", "columns_log"); n != 700 {
		t.Errorf("%d columns, want 700", n)
	}
}

// TestTooLongViewIsRefusedAndChangesNothing: a view that BigQuery would refuse for its length is refused
// before it is asked, for good and with what to do; the set of columns stays, so
// that the next start prepares and loads as before.
func TestTooLongViewIsRefusedAndChangesNothing(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	var columns []warehouse.Column
	for i := range 2000 {
		columns = append(columns, warehouse.Column{Name: fmt.Sprintf("c%d", i), Property: fmt.Sprintf("p%d", i), Type: warehouse.TypeInteger})
	}
	must(t, w.ApplyViews(t.Context(), columns[:50], false))
	must(t, w.ApplyViews(t.Context(), columns[:50], false)) // it is saved once
	err := w.ApplyViews(t.Context(), columns, false)
	if !fault.IsPermanent(err) || !strings.Contains(err.Error(), "2000 columns") || !strings.Contains(err.Error(), "sparrow views apply --drop") {
		t.Errorf("error %v, want a permanent one that says what to do", err)
	}
	if n, _ := server.Store().Count("sparrow", "columns_log"); n != 50 {
		t.Errorf("%d columns, want the 50 of before", n)
	}
	must(t, w.Close())
	persist(t, strict(t, server, nil), messages(t, 1, 4))
	checkRows(t, server, 4)
}

// TestRefusedRowsGoToQuarantine: a row of 12 MB and one that BigQuery refuses go to
// quarantine; the others of their batch are stored, each once.
func TestRefusedRowsGoToQuarantine(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, func(c *bigquery.Config) { c.MaxRow = 9 * quantity.MiB })
	server.Order(bigquerytest.Fault{Kind: bigquerytest.RowRefused, Method: bigquerytest.AppendRows, Table: "raw", Marker: "poison"})
	server.Order(bigquerytest.Fault{Kind: bigquerytest.RowRefused, Method: bigquerytest.AppendRows, Table: "deliveries", Marker: "venom"})
	b := messages(t, 1, 9)
	b.Raw[2].Data = strings.Repeat("x", 12_000_000)
	b.Raw[7].Data = "poison"
	b.Raw[20].Data = "more poison"
	b.Deliveries[3].Error = "venom"
	persist(t, w, b)
	checkRows(t, server, 9)
	if got := quarantined(t, server); !equal(got, []string{"e1-1-2", "e1-3-1", "e1-7-2"}) {
		t.Errorf("quarantined %v", got)
	}
	data := values(t, server, "raw", "data")
	for _, i := range []int{2, 7, 20} {
		if data[i] != "<nil>" {
			t.Errorf("row %d keeps %.20q", i, data[i])
		}
	}
}

// TestRowOfARefusedDayGoesToQuarantine: a row whose day BigQuery no longer accepts is
// reported, and delays nothing.
func TestRowOfARefusedDayGoesToQuarantine(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	b := messages(t, 1, 4)
	b.Raw[4].Timestamp = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	persist(t, w, b)
	checkRows(t, server, 4)
	if got := quarantined(t, server); !equal(got, []string{"e1-2-1"}) {
		t.Errorf("quarantined %v", got)
	}
}

// quarantined are the receipts in quarantine. A load that is begun again, as on
// a slow machine, may log one twice: the view shows it once.
func quarantined(t testing.TB, server *bigquerytest.Server) []string {
	t.Helper()
	list := values(t, server, "quarantine_log", "receipt")
	slices.Sort(list)
	return slices.Compact(list)
}
