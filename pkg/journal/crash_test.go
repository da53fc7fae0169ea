package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// victimDir is set in the environment of the process that is to be killed.
const victimDir = "JOURNAL_TEST_VICTIM"

// victim appends with many callers and prints each acknowledged record, until
// it is killed.
func victim(dir string) int {
	j, err := journal.Open(context.Background(), testConfig(), journal.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var all sync.WaitGroup
	all.Go(func() { err = j.Run(context.Background()) })
	var out sync.Mutex
	for c := range 32 {
		all.Go(func() {
			for i := 0; ; i++ {
				record := fmt.Sprintf("%d/%d/%d", os.Getpid(), c, i)
				p, err := j.Append(context.Background(), [][]byte{[]byte(record)})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				out.Lock()
				fmt.Printf("%v %s.\n", p, record)
				out.Unlock()
			}
		})
	}
	all.Wait()
	return 1
}

func TestKill(t *testing.T) {
	const kills, appends = 4, 3000
	dir := t.TempDir()
	acknowledged := make(map[string]string)
	for range kills {
		killUnderLoad(t, dir, appends, acknowledged)
	}
	j, _ := mustStart(t, dir)
	stored := make(map[string]string)
	for p, record := range drain(t, j.Events()) {
		stored[p.String()] = record
	}
	missing := 0
	for p, record := range acknowledged {
		if stored[p] != record {
			missing++
		}
	}
	if missing > 0 || len(acknowledged) < kills*appends {
		t.Errorf("of %d acknowledged records %d are missing", len(acknowledged), missing)
	}
}

// killUnderLoad starts a victim, kills it when it has made enough appends, and
// adds what it was told is stored.
func killUnderLoad(t *testing.T, dir string, appends int, acknowledged map[string]string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), victimDir+"="+dir)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		position, record, _ := strings.Cut(lines.Text(), " ")
		if record, whole := strings.CutSuffix(record, "."); whole { // the kill may cut a line
			if other, taken := acknowledged[position]; taken {
				t.Errorf("position %s given to %s and %s", position, other, record)
			}
			acknowledged[position] = record
		}
		if n == appends {
			if err := child.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	exit, ok := errors.AsType[*exec.ExitError](child.Wait())
	if !ok || exit.Exited() {
		t.Fatalf("the child was not killed: %v", exit)
	}
}
