package warehousetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// childDir names the directory in the environment of a child process.
const childDir = "SPARROW_WAREHOUSETEST_DIR"

// The child's batches: messages of so many records.
const (
	childBatch   = 20
	childRecords = 50
)

// Child loads batches without end, when the environment says that this process
// is a child of the suite; otherwise it returns at once. An adapter's TestMain
// calls it first. It is how the suite kills a process in the middle of a load.
func Child(open Opener) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	fmt.Println("error:", loadForever(open, dir))
}

// loadForever ends only with an error.
func loadForever(open Opener, dir string) error {
	w, err := open(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := w.Prepare(ctx); err != nil {
		return err
	}
	marks, err := w.Positions(ctx)
	if err != nil {
		return err
	}
	next := uint64(1)
	for _, m := range marks {
		if m.Stream == warehouse.EventsStream {
			next = m.Next.Seq
		}
	}
	for {
		b, err := childrens(next)
		if err != nil {
			return err
		}
		if err := w.Load(ctx, b); err != nil {
			return err
		}
		next += childBatch
		fmt.Println("loaded", next)
	}
}

// childrens is the batch that starts at a message: always the same one.
func childrens(first uint64) (*warehouse.Batch, error) {
	next := first + childBatch
	b := &warehouse.Batch{
		Events:   warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: epoch, Next: event.Position{Seq: next}},
		Outcomes: warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: epoch, Next: event.Position{Seq: next}},
	}
	for seq := first; seq < next; seq++ {
		report := event.Checkpoint{Tracker: "ga4", Epoch: epoch, Watermark: event.Position{Seq: seq + 1}}
		for i := range uint32(childRecords) {
			r := record(at(seq, i), fmt.Sprintf(`{"event":"buy","deviceId":"d%d","properties":{"n":%d}}`, i, seq))
			row, err := warehouse.NewRawRow(&r)
			if err != nil {
				return nil, err
			}
			b.Raw = append(b.Raw, row)
			report.Deliveries = append(report.Deliveries, event.Delivery{Position: r.Receipt.Position, Outcome: event.Delivered, Time: day(), Day: day()})
		}
		report.Filtered = []event.FilteredCount{{Day: day(), Source: "shop", Event: "buy", Reason: "r", Count: 1}}
		b.AddCheckpoint(seq, &report)
	}
	return b, nil
}

// checkKill: SIGKILL in the middle of loading leaves as many rows as the
// positions say, each once, and no batch that was acknowledged is missing.
func checkKill(t testing.TB, h Harness) {
	dir := t.TempDir()
	for round := range 3 {
		acknowledged := killWhileLoading(t, dir, 5+3*round)
		w, err := h.Open(dir)
		if err != nil {
			t.Fatalf("round %d: open after a kill: %v", round, err)
		}
		if err := w.Prepare(t.Context()); err != nil {
			t.Fatalf("round %d: prepare after a kill: %v", round, err)
		}
		messages := storedMark(t, w) - 1
		if messages+1 < acknowledged {
			t.Errorf("round %d: loaded to %d, acknowledged %d", round, messages+1, acknowledged)
		}
		want := int64(messages * childRecords)
		if h.Ahead {
			finish(t, w, messages+1)
			messages += childBatch
			want = int64(messages * childRecords)
		}
		for _, table := range []string{"raw", "deliveries"} {
			same(t, table, ask(t, w, "select count(*), count(distinct receipt), cast(max(seq) as bigint) from "+table), [][]any{{want, want, messages}})
		}
		same(t, "filtered", number(t, w, "select cast(sum(count) as bigint) from filtered"), messages)
		if err := w.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
}

// finish loads the batch that was loaded when the process was killed.
func finish(t testing.TB, w warehouse.Warehouse, first uint64) {
	t.Helper()
	b, err := childrens(first)
	if err != nil {
		t.Fatal(err)
	}
	load(t, w, b)
}

// killWhileLoading kills a child after it acknowledged some batches, while it
// loads the next, and returns the last position it acknowledged.
func killWhileLoading(t testing.TB, dir string, batches int) (acknowledged uint64) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("find test binary: %v", err)
	}
	child := exec.Command(self, "-test.run=^$")
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatalf("start child: %v", err)
	}
	if err := child.Start(); err != nil {
		t.Fatalf("start child: %v", err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "error:") {
			t.Errorf("child: %s", lines.Text())
			break
		}
		if _, err := fmt.Sscanf(lines.Text(), "loaded %d", &acknowledged); err != nil {
			continue
		}
		if n++; n == batches {
			_ = child.Process.Kill()
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatalf("the child ended by itself: does the adapter's TestMain call warehousetest.Child?")
	}
	if acknowledged == 0 {
		t.Fatalf("the child loaded nothing: does the adapter's TestMain call warehousetest.Child?")
	}
	return acknowledged
}
