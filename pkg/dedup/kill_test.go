package dedup_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// childDir names the environment variable that makes the test binary follow a
// made-up journal in that directory until it is killed.
const childDir = "SPARROW_DEDUP_TEST_DIR"

const (
	killMessages   = 1000
	killPerMessage = 100
	killWindow     = 12 * time.Hour
)

// killMessage is the same in every process: a message of records of which many
// repeat an earlier one.
func killMessage(seq uint64) event.Batch {
	random := rand.New(rand.NewPCG(seq, 7))
	records := make([]event.Record, killPerMessage)
	for n := range records {
		id := seq*killPerMessage + uint64(n)
		if random.IntN(3) == 0 {
			id = random.Uint64N(id + 1)
		}
		records[n] = record("shop", fmt.Sprintf("id-%d", id), time.Duration(seq)*time.Minute)
		records[n].Receipt = event.Receipt{Epoch: "e1", Position: event.Position{Seq: seq, Index: uint32(n)}}
	}
	return event.Batch{Records: records, Next: event.Position{Seq: seq + 1}}
}

// killJournal is a made-up journal.
type killJournal struct{}

func (killJournal) Epoch() string { return "e1" }

func (killJournal) Bounds(context.Context) (first, end event.Position, err error) {
	return event.Position{Seq: 1}, event.Position{Seq: killMessages + 1}, nil
}

func (killJournal) Read(_ context.Context, from event.Position) (dedup.Reader, error) {
	return &killReader{next: max(from.Seq, 1)}, nil
}

type killReader struct{ next uint64 }

func (r *killReader) Next(ctx context.Context) (event.Batch, error) {
	if r.next > killMessages {
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return event.Batch{}, err
	}
	r.next++
	return killMessage(r.next - 1), nil
}

func (*killReader) Close() error { return nil }

// followUntilKilled is the child: it says when it has come another 50 messages on.
func followUntilKilled(dir string) int {
	config := dedup.DefaultConfig()
	config.Window = killWindow
	index, err := dedup.Open(dir, config, dedup.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		for seq := uint64(50); seq <= killMessages; seq += 50 {
			if err := index.FlagDuplicates(context.Background(), killMessage(seq).Records); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Println(seq)
		}
	}()
	fmt.Fprintln(os.Stderr, index.Run(context.Background(), killJournal{}))
	return 1
}

// killOnce lets a child follow the journal for some steps and kills it.
func killOnce(t *testing.T, dir string, steps int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range steps {
		if !lines.Scan() {
			t.Error("the child ended by itself")
			break
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
		t.Errorf("the child was not killed: %v", err)
	}
}

func TestKill(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(3, 3))
	for range 4 {
		killOnce(t, dir, 5+random.IntN(14))
	}
	config := dedup.DefaultConfig()
	config.Window = killWindow
	seen := &incidents{}
	index, _ := open(t, dir, config, dedup.Options{Reporter: seen}, killJournal{})
	m := newModel(killWindow)
	for seq := uint64(1); seq <= killMessages; seq++ {
		b := killMessage(seq)
		if diff := cmp.Diff(m.flags(b), marks(t, index, b)); diff != "" {
			t.Fatalf("message %d (-want +got):\n%s", seq, diff)
		}
	}
	if len(seen.classes()) > 0 {
		t.Errorf("incidents %v: an index that was killed is rebuilt or incomplete", seen.classes())
	}
}
