package journal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// TestNotes: what one process writes the other reads, and who is late is told.
func TestNotes(t *testing.T) {
	s := startServer(t, t.TempDir(), 0)
	one, two := mustOpen(t, clusterConfig(s), journal.Options{}).KV(), mustOpen(t, clusterConfig(s), journal.Options{}).KV()
	write := func(n *journal.KV, name, text string, after *uint64) (uint64, bool) {
		t.Helper()
		number, written, err := n.Put(t.Context(), name, []byte(text), after)
		if err != nil {
			t.Fatalf("write %s: %v", name, err)
		}
		return number, written
	}
	if number, text, err := two.Get(t.Context(), "lease.a"); number != 0 || text != nil || err != nil {
		t.Errorf("a note that nobody wrote: %d, %q, %v", number, text, err)
	}
	none := uint64(0)
	first, written := write(one, "lease.a", "one", &none)
	if !written || first == 0 {
		t.Errorf("the first note: %d, written %v", first, written)
	}
	if _, written := write(two, "lease.a", "two", &none); written {
		t.Error("two wrote the first note")
	}
	second, written := write(two, "lease.a", "two", &first)
	if !written || second <= first {
		t.Errorf("the second note: %d after %d, written %v", second, first, written)
	}
	if number, text, err := one.Get(t.Context(), "lease.a"); number != second || string(text) != "two" || err != nil {
		t.Errorf("read %d, %q, %v; want %d, two", number, text, err, second)
	}
	third, _ := write(one, "session.b-1", "", nil)
	eventually(t, "both notes", func() bool {
		found := map[string]string{}
		err := two.Each(t.Context(), func(name string, number uint64, text []byte) { found[name] = fmt.Sprintf("%d %s", number, text) })
		return err == nil && len(found) == 2 && found["lease.a"] == fmt.Sprintf("%d two", second) && found["session.b-1"] == fmt.Sprintf("%d ", third)
	})
	for _, name := range []string{"", "a.", "a b", "lease.*", ">"} {
		if _, _, err := one.Put(t.Context(), name, nil, nil); err == nil {
			t.Errorf("%q is no name", name)
		}
		if _, _, err := one.Get(t.Context(), name); err == nil {
			t.Errorf("%q is no name", name)
		}
	}
}

// A stream of notes that somebody deleted is made anew; a server that is gone is
// an error in the time the caller has.
func TestNotesComeBack(t *testing.T) {
	s := startServer(t, t.TempDir(), 0)
	j := mustOpen(t, clusterConfig(s), journal.Options{})
	n := j.KV()
	if _, _, err := n.Put(t.Context(), "session.a", []byte("here"), nil); err != nil {
		t.Fatal(err)
	}
	if err := j.DeleteNotes(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stream to be back", func() bool {
		_, written, err := n.Put(t.Context(), "session.a", []byte("here"), nil)
		return err == nil && written
	})
	s.Shutdown()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, written, err := n.Put(ctx, "session.a", nil, nil); written || err == nil {
		t.Error("a note was written where no server is")
	}
	if err := n.Each(ctx, func(string, uint64, []byte) {}); err == nil {
		t.Error("notes were read where no server is")
	}
}
