package dedup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// filled is the directory of an index that was closed, its journal and the flags.
func filled(t *testing.T) (dir string, j *journal, batches []event.Batch, want [][]bool) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "dedup")
	j = newJournal("e1")
	index, stop := open(t, dir, dedup.DefaultConfig(), dedup.Options{}, j)
	m := newModel(dedup.DefaultConfig().Window)
	for range 50 {
		b := j.add(record("shop", "a", 0), record("shop", "b", 0))
		batches, want = append(batches, b), append(want, m.flags(b))
	}
	marks(t, index, batches[len(batches)-1])
	stop()
	return dir, j, batches, want
}

func check(t *testing.T, index *dedup.Index, batches []event.Batch, want [][]bool) {
	t.Helper()
	for n, b := range batches {
		if diff := cmp.Diff(want[n], marks(t, index, b)); diff != "" {
			t.Fatalf("message %d (-want +got):\n%s", n+1, diff)
		}
	}
}

func TestRebuild(t *testing.T) {
	for name, c := range map[string]struct {
		harm  func(t *testing.T, dir string, j *journal)
		class string
		aside bool
	}{
		"unharmed": {func(*testing.T, string, *journal) {}, "", false},
		"directory lost, the journal whole": {func(t *testing.T, dir string, _ *journal) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, "", false},
		"manifest overwritten": {func(t *testing.T, dir string, _ *journal) { overwrite(t, dir, "MANIFEST-") }, "index damaged", true},
		"table overwritten":    {func(t *testing.T, dir string, _ *journal) { overwrite(t, dir, ".sst") }, "index damaged", true},
		"table lost": {func(t *testing.T, dir string, _ *journal) {
			for _, name := range matching(t, dir, ".sst") {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
		}, "index damaged", true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, j, batches, want := filled(t)
			c.harm(t, dir, j)
			seen := &incidents{}
			index, _ := open(t, dir, dedup.DefaultConfig(), dedup.Options{Reporter: seen}, j)
			check(t, index, batches, want)
			b := j.add(record("shop", "a", day), record("shop", "new", day))
			check(t, index, []event.Batch{b}, [][]bool{{true, false}})
			if c.class != "" && seen.classes()[c.class] == 0 || c.class == "" && len(seen.classes()) > 0 {
				t.Errorf("incidents %v, want %q", seen.classes(), c.class)
			}
			if _, err := os.Stat(dir + ".damaged"); (err == nil) != c.aside {
				t.Errorf("damaged directory aside: %v, want %t", err, c.aside)
			}
		})
	}
}

func TestDirectoryLostAndJournalTrimmed(t *testing.T) {
	dir, j, batches, _ := filled(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	j.first = uint64(len(batches)) // only the last message is left
	seen := &incidents{}
	index, _ := open(t, dir, dedup.DefaultConfig(), dedup.Options{Reporter: seen}, j)
	b := j.add(record("shop", "only now", 0), record("shop", "only now", 0))
	check(t, index, []event.Batch{b}, [][]bool{{false, true}})
	if seen.classes()["index rebuilt"] != 1 {
		t.Errorf("incidents %v, want one rebuilt: what was trimmed is forgotten", seen.classes())
	}
}

func TestAnotherEpoch(t *testing.T) {
	dir, _, _, _ := filled(t)
	j := newJournal("e2")
	b := j.add(record("shop", "a", 0), record("shop", "a", 0))
	seen := &incidents{}
	index, _ := open(t, dir, dedup.DefaultConfig(), dedup.Options{Reporter: seen}, j)
	check(t, index, []event.Batch{b}, [][]bool{{false, true}})
	if seen.classes()["index rebuilt"] != 1 {
		t.Errorf("incidents %v, want one rebuilt", seen.classes())
	}
}

func TestAheadOfTheJournal(t *testing.T) {
	dir, j, batches, want := filled(t)
	j.batches = j.batches[:10]
	seen := &incidents{}
	index, _ := open(t, dir, dedup.DefaultConfig(), dedup.Options{Reporter: seen}, j)
	check(t, index, batches[:10], want[:10])
	b := j.add(record("shop", "c", 0), record("shop", "d", 0))
	check(t, index, []event.Batch{b}, [][]bool{{false, false}})
	if seen.classes()["index rebuilt"] != 1 {
		t.Errorf("incidents %v, want one rebuilt", seen.classes())
	}
}

func matching(t *testing.T, dir, part string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), part) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	if len(names) == 0 {
		t.Fatalf("no %s in %s", part, dir)
	}
	return names
}

// overwrite damages the files from their first byte on.
func overwrite(t *testing.T, dir, part string) {
	t.Helper()
	for _, name := range matching(t, dir, part) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range content {
			content[n] ^= 0x5a
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
