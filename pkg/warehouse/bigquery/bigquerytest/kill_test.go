package bigquerytest_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	adapter "github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// What a child of TestKilledClientLosesNothingThatWasAnswered is told in its environment.
const (
	childREST = "SPARROW_BIGQUERYTEST_REST"
	childGRPC = "SPARROW_BIGQUERYTEST_GRPC"
	childEnd  = "SPARROW_BIGQUERYTEST_END" // the message before which it stops; 0: never
)

const (
	killEpoch   = "e1"
	perMessage  = 25 // records
	mostAtOnce  = 40 // messages in a batch
	kills       = 6
	killedTable = "raw"
)

// loadAsChild loads messages through the adapter from where it finds the
// warehouse, and says on stdout what was acknowledged.
func loadAsChild() {
	if os.Getenv(childREST) == "" {
		return
	}
	if err := loadUntil(os.Getenv(childEnd)); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func loadUntil(end string) error {
	last, err := strconv.ParseUint(end, 10, 64)
	if err != nil {
		return err
	}
	config := adapter.DefaultConfig()
	config.Project, config.Dataset, config.Insecure = "test", dataset, true
	config.Endpoint, config.StorageEndpoint = os.Getenv(childREST), os.Getenv(childGRPC)
	ctx := context.Background()
	w, err := adapter.Open(ctx, config, adapter.Options{})
	if err != nil {
		return err
	}
	if err := persist(func() error { return w.Prepare(ctx) }); err != nil {
		return err
	}
	next := uint64(1)
	positions, err := w.Positions(ctx)
	if err != nil {
		return err
	}
	for _, m := range positions {
		if m.Stream == warehouse.EventsStream {
			next = m.Next.Seq
		}
	}
	for last == 0 || next < last {
		// Batches are cut elsewhere each time, as a loader's are.
		to := next + 1 + rand.Uint64N(mostAtOnce)
		if last > 0 {
			to = min(to, last)
		}
		b, err := batchOf(next, to)
		if err != nil {
			return err
		}
		if err := persist(func() error { return w.Load(ctx, b) }); err != nil {
			return err
		}
		next = to
		fmt.Println("loaded", next)
	}
	return w.Close()
}

// persist tries a few times, as the loader does for as long as it takes.
func persist(try func() error) (err error) {
	for range 20 {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}

// batchOf is the messages from first up to before: always the same rows.
func batchOf(first, before uint64) (*warehouse.Batch, error) {
	b := &warehouse.Batch{
		Events:   warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: killEpoch, Next: event.Position{Seq: before}},
		Outcomes: warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: killEpoch, Next: event.Position{Seq: before}},
	}
	day := warehouse.Day(time.Now())
	for seq := first; seq < before; seq++ {
		report := event.Checkpoint{Tracker: "ga4", Epoch: killEpoch, Watermark: event.Position{Seq: seq + 1}}
		for i := range uint32(perMessage) {
			at := event.Position{Seq: seq, Index: i}
			record := event.Record{
				Receipt: event.Receipt{Epoch: killEpoch, Position: at}, ReceivedAt: day.Add(time.Minute), Source: "shop", EventID: fmt.Sprintf("id-%d-%d", seq, i),
				Data: fmt.Appendf(nil, `{"event":"buy","deviceId":"d%d","properties":{"n":%d}}`, i, seq),
			}
			row, err := warehouse.NewRawRow(&record)
			if err != nil {
				return nil, err
			}
			b.Raw = append(b.Raw, row)
			report.Deliveries = append(report.Deliveries, event.Delivery{Position: at, Outcome: event.Delivered, Time: day, Day: day})
		}
		b.AddCheckpoint(seq, &report)
	}
	return b, nil
}

// TestKilledClientLosesNothingThatWasAnswered: a process that loads through the adapter is killed about every
// second, and connections break after rows were committed. What was acknowledged
// is in raw and deliveries, each row once and in the journal's order.
func TestKilledClientLosesNothingThatWasAnswered(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	var acknowledged uint64
	broken := 0
	for round := range kills {
		order := server.Order(bigquerytest.Fault{Kind: bigquerytest.CloseAfterCommit, Method: bigquerytest.AppendRows, Table: killedTable, After: 5, Calls: 1})
		now := runChild(t, server, 0, time.Second+time.Duration(rand.IntN(300))*time.Millisecond)
		if now <= acknowledged {
			t.Fatalf("round %d: acknowledged up to %d, before it %d: no progress", round, now, acknowledged)
		}
		acknowledged = now
		broken += order.Hits()
	}
	if broken == 0 {
		t.Error("no connection broke")
	}
	end := acknowledged + 3*mostAtOnce
	if got := runChild(t, server, end, 0); got != end {
		t.Fatalf("the last child loaded up to %d, want %d", got, end)
	}
	want := int((end - 1) * perMessage)
	t.Logf("%d kills, %d rows", kills, want)
	for _, table := range []string{killedTable, "deliveries"} {
		n, wrong := 0, 0
		for receipt, err := range server.Store().Texts(dataset, table, "receipt") {
			must(t, err)
			at := event.Position{Seq: 1 + uint64(n/perMessage), Index: uint32(n % perMessage)}
			if expected := (event.Receipt{Epoch: killEpoch, Position: at}).String(); receipt != expected {
				if wrong++; wrong == 1 {
					t.Errorf("%s: row %d is %s, want %s", table, n, receipt, expected)
				}
			}
			n++
		}
		if n != want || wrong > 0 {
			t.Errorf("%s: %d rows, want %d; %d out of place", table, n, want, wrong)
		}
	}
}

// runChild runs a child until it ends, or kills it so long after its first
// acknowledgement, and returns the last that it gave.
func runChild(t *testing.T, server *bigquerytest.Server, end uint64, life time.Duration) (acknowledged uint64) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	child := exec.Command(self)
	child.Env = append(os.Environ(), childREST+"="+server.URL(), childGRPC+"="+server.GRPCAddress(), fmt.Sprintf("%s=%d", childEnd, end))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	var killer *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "loaded %d", &acknowledged); err != nil {
			t.Errorf("child: %s", lines.Text())
		}
		if killer == nil && life > 0 {
			killer = time.AfterFunc(life, func() { _ = child.Process.Kill() })
			defer killer.Stop()
		}
	}
	if err := child.Wait(); (err == nil) != (life == 0) {
		t.Errorf("the child ended with %v", err)
	}
	return acknowledged
}
