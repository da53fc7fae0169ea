package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// fillBlocks makes a journal of several blocks and returns its records.
func fillBlocks(t *testing.T, dir string) map[event.Position]string {
	t.Helper()
	const messages = 100
	stored := make(map[event.Position]string)
	j, stop := mustStart(t, dir)
	for i := range messages {
		record := fmt.Sprintf("%04d", i) + strings.Repeat("x", 200<<10)
		p := mustAppend(t, j, record, "small")
		stored[p], stored[p.Next()] = record, "small"
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	return stored
}

func blocks(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, journal.BlockPatterns))
	if err != nil || len(files) < 2 {
		t.Fatalf("want several blocks, got %v, %v", files, err)
	}
	return files
}

func block(dir string, number int) string {
	return filepath.Join(dir, strings.Replace(journal.BlockPatterns, "*", fmt.Sprint(number), 1))
}

// flip changes one byte of the file, behind the record with the given start.
func flip(t *testing.T, file, record string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(content, []byte(record+"xxxx"))
	if at < 0 {
		t.Fatalf("%s has no record %s", file, record)
	}
	content[at+1000] ^= 1
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamage(t *testing.T) {
	for name, test := range map[string]struct {
		block   int
		record  string
		crashed bool // the server's own index is gone
	}{
		"first block":               {1, "0010", false},
		"middle block":              {2, "0050", false},
		"middle block after a kill": {2, "0050", true},
		"last block":                {3, "0090", false},
		"last block after a kill":   {3, "0090", true},
		"last message":              {3, "0099", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			want := fillBlocks(t, dir)
			_ = blocks(t, dir)
			flip(t, block(dir, test.block), test.record)
			if test.crashed {
				if err := os.Remove(filepath.Join(filepath.Dir(block(dir, 1)), "index.db")); err != nil {
					t.Fatal(err)
				}
			}
			var seen observer
			j := mustOpen(t, testConfig(), journal.Options{Dir: dir, Reporter: &seen})
			run(t, j)
			after := mustAppend(t, j, "after")
			if _, taken := want[after]; taken {
				t.Errorf("position %v was given out twice", after)
			}
			want[after] = "after"
			checkDamaged(t, j, want)
			if len(seen.of("lost messages")) == 0 {
				t.Error("nobody was told")
			}
		})
	}
}

// checkDamaged reads everything and checks that what is missing is what the
// reader was told.
func checkDamaged(t *testing.T, j *journal.Journal, want map[event.Position]string) {
	t.Helper()
	r := mustRead(t, j.Events(), 1)
	var lost, lostRecords uint64
	got := 0
	for last := false; !last; {
		m := mustNext(t, r)
		lost += m.Lost
		lostRecords += m.LostRecords
		for i, record := range m.Records {
			if want[event.Position{Seq: m.Seq, Index: uint32(i)}] != string(record) {
				t.Errorf("message %d: record %d is another", m.Seq, i)
			}
			last = string(record) == "after"
			got++
		}
	}
	missing := len(want) - got
	if lost == 0 || uint64(missing) != 2*lost {
		t.Errorf("%d records are missing, but %d messages were reported", missing, lost)
	}
	if lostRecords != 0 && lostRecords != 2*lost {
		t.Errorf("%d messages with %d records were reported", lost, lostRecords)
	}
}
