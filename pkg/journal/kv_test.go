package journal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// What one process puts, the other gets; a Put that comes late says so.
func TestKV(t *testing.T) {
	s := startServer(t, t.TempDir(), 0)
	one, two := mustOpen(t, clusterConfig(s), journal.Options{}).KV(), mustOpen(t, clusterConfig(s), journal.Options{}).KV()
	put := func(kv *journal.KV, key, value string, after *uint64) (uint64, bool) {
		t.Helper()
		revision, written, err := kv.Put(t.Context(), key, []byte(value), after)
		if err != nil {
			t.Fatalf("put %s: %v", key, err)
		}
		return revision, written
	}
	if revision, value, err := two.Get(t.Context(), "lease.a"); revision != 0 || value != nil || err != nil {
		t.Errorf("an entry that nobody put: %d, %q, %v", revision, value, err)
	}
	none := uint64(0)
	first, written := put(one, "lease.a", "one", &none)
	if !written || first == 0 {
		t.Errorf("the first entry: %d, written %v", first, written)
	}
	if _, written := put(two, "lease.a", "two", &none); written {
		t.Error("two put the first entry")
	}
	second, written := put(two, "lease.a", "two", &first)
	if !written || second <= first {
		t.Errorf("the second entry: %d after %d, written %v", second, first, written)
	}
	if revision, value, err := one.Get(t.Context(), "lease.a"); revision != second || string(value) != "two" || err != nil {
		t.Errorf("read %d, %q, %v; want %d, two", revision, value, err, second)
	}
	third, _ := put(one, "session.b-1", "", nil)
	eventually(t, "both entries", func() bool {
		found := map[string]string{}
		err := two.Each(t.Context(), func(key string, revision uint64, value []byte) { found[key] = fmt.Sprintf("%d %s", revision, value) })
		return err == nil && len(found) == 2 && found["lease.a"] == fmt.Sprintf("%d two", second) && found["session.b-1"] == fmt.Sprintf("%d ", third)
	})
	for _, key := range []string{"", "a.", "a b", "lease.*", ">"} {
		if _, _, err := one.Put(t.Context(), key, nil, nil); err == nil {
			t.Errorf("%q is no key", key)
		}
		if _, _, err := one.Get(t.Context(), key); err == nil {
			t.Errorf("%q is no key", key)
		}
	}
}

// The stream of a KV that somebody deleted is made anew; a server that is gone is
// an error in the time the caller has.
func TestKVComesBack(t *testing.T) {
	s := startServer(t, t.TempDir(), 0)
	j := mustOpen(t, clusterConfig(s), journal.Options{})
	kv := j.KV()
	if _, _, err := kv.Put(t.Context(), "session.a", []byte("here"), nil); err != nil {
		t.Fatal(err)
	}
	if err := j.DeleteKV(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stream to be back", func() bool {
		_, written, err := kv.Put(t.Context(), "session.a", []byte("here"), nil)
		return err == nil && written
	})
	s.Shutdown()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, written, err := kv.Put(ctx, "session.a", nil, nil); written || err == nil {
		t.Error("an entry was put where no server is")
	}
	if err := kv.Each(ctx, func(string, uint64, []byte) {}); err == nil {
		t.Error("entries were read where no server is")
	}
}
