package bigquery_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// TestRowsAreStoredOnceWhicheverCallFails breaks each call of a load in each way, as a passing
// fault within a process and as its death: the store is thrown away and another
// goes on, with batches that are cut elsewhere. Of a death, only what the server
// had done by then makes a difference.
func TestRowsAreStoredOnceWhicheverCallFails(t *testing.T) {
	calls := map[bigquerytest.Method]int{
		bigquerytest.AppendRows: 8, bigquerytest.CreateWriteStream: 4, bigquerytest.FinalizeWriteStream: 3, bigquerytest.GetWriteStream: 3, bigquerytest.JobsQuery: 2,
	}
	for kind, deaths := range map[bigquerytest.Kind][]bool{
		bigquerytest.CloseAfterCommit: {false, true},
		bigquerytest.Unavailable:      {false, true},
		bigquerytest.StreamGone:       {false, true},
		bigquerytest.ResetAfterCommit: {false},
		bigquerytest.Reset:            {false},
		bigquerytest.InternalError:    {false},
		bigquerytest.QuotaExceeded:    {false},
	} {
		for method, most := range calls {
			t.Run(fmt.Sprintf("%s/%s", kind, method), func(t *testing.T) {
				t.Parallel()
				server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
				w := strict(t, server, nil)
				persist(t, w, messages(t, 1, 4))
				must(t, w.Close())
				next := uint64(4)
				for after := range most {
					for _, death := range deaths {
						failOnce(t, server, bigquerytest.Fault{Kind: kind, Method: method, After: after, Calls: 1}, death, next)
						next += 8
						if rows, _ := server.Store().Count("sparrow", "raw"); uint64(rows) != 3*(next-1) {
							t.Fatalf("call %d, death %t: %d rows in raw, want %d", after, death, rows, 3*(next-1))
						}
					}
				}
				checkSums(t, server, next)
			})
		}
	}
}

// failOnce loads eight messages from next on through a fault. There are streams
// to finalize: those of the process before.
func failOnce(t *testing.T, server *bigquerytest.Server, f bigquerytest.Fault, death bool, next uint64) {
	w := strict(t, server, nil)
	order := server.Order(f)
	defer func() {
		order.Clear()
		if order.Hits() == 0 {
			t.Errorf("call %d of %s: there is none", f.After, f.Method)
		}
	}()
	if death {
		_ = w.Load(t.Context(), messages(t, next, next+5))
		order.Clear()
		must(t, w.Close())
		w = strict(t, server, nil)
		persist(t, w, messages(t, next, next+2))
		persist(t, w, messages(t, next+2, next+3))
	}
	persist(t, w, messages(t, next, next+5))
	persist(t, w, messages(t, next+5, next+8))
	must(t, w.Close())
}

// TestRowsAreStoredOnceThroughRandomFaults loads through a long run of faults, with a new process now
// and then, and batches that are cut anew each time.
func TestRowsAreStoredOnceThroughRandomFaults(t *testing.T) {
	kinds := []bigquerytest.Kind{
		bigquerytest.CloseAfterCommit, bigquerytest.ResetAfterCommit, bigquerytest.Unavailable, bigquerytest.Reset, bigquerytest.InternalError,
		bigquerytest.StreamGone, bigquerytest.RateLimited,
	}
	methods := []bigquerytest.Method{bigquerytest.AppendRows, bigquerytest.AppendRows, bigquerytest.AppendRows, bigquerytest.CreateWriteStream, bigquerytest.FinalizeWriteStream}
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	next := uint64(1)
	for range 120 {
		order := server.Order(bigquerytest.Fault{Kind: kinds[rand.IntN(len(kinds))], Method: methods[rand.IntN(len(methods))], After: rand.IntN(6), Calls: 1 + rand.IntN(2)})
		_ = w.Load(t.Context(), messages(t, next, next+1+rand.Uint64N(5)))
		if rand.IntN(3) == 0 {
			must(t, w.Close())
			w = strict(t, server, nil)
		}
		order.Clear()
		positions, err := w.Positions(t.Context())
		must(t, err)
		for _, m := range positions {
			if m.Stream == warehouse.EventsStream {
				next = m.Next.Seq
			}
		}
	}
	persist(t, w, messages(t, next, next+8))
	checkSums(t, server, next+8)
	t.Logf("%d messages", next+8)
}

// TestCancelledLoadStoresNothingTwice: a load whose context ends, early or late, leaves nothing that a
// later one would store twice.
func TestCancelledLoadStoresNothingTwice(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	must(t, w.Prepare(t.Context()))
	next := uint64(1)
	for i := range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*500*time.Microsecond)
		_ = w.Load(ctx, messages(t, next, next+20))
		cancel()
		if i%4 == 3 {
			persist(t, w, messages(t, next, next+10))
			next += 10
		}
	}
	persist(t, w, messages(t, 1, next+20))
	checkSums(t, server, next+20)
}

// TestTwoProcessesStoreEachRowOnce: two that load at once replace each
// other's writers, and each row is stored once.
func TestTwoProcessesStoreEachRowOnce(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	a, b := strict(t, server, nil), strict(t, server, nil)
	must(t, a.Prepare(t.Context()))
	for next := uint64(1); next < 40; next += 3 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			persist(t, a, messages(t, 1, next+3))
		}()
		persist(t, b, messages(t, 1, next+2))
		<-done
	}
	persist(t, b, messages(t, 1, 43))
	checkSums(t, server, 43)
}

// TestLeaseLostBeforeCommitStoresRowsOnce: a process stops for as long as its lease lasts
// between its rows and their commit, and another takes the loading over. It counts
// those rows as stored, and so does the first when it wakes up.
func TestLeaseLostBeforeCommitStoresRowsOnce(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	a, b := strict(t, server, nil), strict(t, server, nil)
	persist(t, a, messages(t, 1, 4))
	order := server.Order(bigquerytest.Fault{Kind: bigquerytest.Hang, Method: bigquerytest.AppendRows, Table: "positions_log", Calls: 1})
	stopped := make(chan error, 1)
	go func() { stopped <- a.Load(t.Context(), messages(t, 4, 9)) }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, order.Wait(ctx)) // for the commit
	if rows, _ := server.Store().Count("sparrow", "raw"); rows != 3*8 {
		t.Fatalf("%d rows in raw before the commit, want 24", rows)
	}
	persist(t, b, messages(t, 4, 7)) // cut elsewhere, and of it all is stored already
	order.Clear()
	if err := <-stopped; err == nil {
		t.Error("Load says that a commit was made, which never was")
	}
	persist(t, b, messages(t, 7, 12))
	persist(t, a, messages(t, 4, 14)) // should it ever load again, it begins where the other ended
	checkSums(t, server, 14)
}
