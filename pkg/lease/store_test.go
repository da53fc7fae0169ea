package lease_test

import (
	"context"
	"sync"

	"github.com/sparrow-edge/sparrow/pkg/lease"
)

// memoryStore keeps its entries in memory.
type memoryStore struct {
	mu       sync.Mutex
	revision uint64
	entries  map[string]entry
}

type entry struct {
	revision uint64
	value    []byte
}

// wire is a member's connection to the store. While it is cut nothing comes back.
type wire struct {
	store *memoryStore

	mu   sync.Mutex
	down bool
}

var _ lease.Store = (*wire)(nil)

func (w *wire) cut()  { w.set(true) }
func (w *wire) mend() { w.set(false) }

func (w *wire) set(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

// pass waits until the caller gives up, if the wire is cut.
func (w *wire) pass(ctx context.Context) error {
	w.mu.Lock()
	down := w.down
	w.mu.Unlock()
	if down {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (w *wire) Put(ctx context.Context, key string, value []byte, after *uint64) (revision uint64, written bool, err error) {
	if err := w.pass(ctx); err != nil {
		return 0, false, err
	}
	s := w.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if after != nil && *after != s.entries[key].revision {
		return 0, false, nil
	}
	if s.entries == nil {
		s.entries = make(map[string]entry)
	}
	s.revision++
	s.entries[key] = entry{s.revision, value}
	return s.revision, true, nil
}

func (w *wire) Get(ctx context.Context, key string) (revision uint64, value []byte, err error) {
	if err := w.pass(ctx); err != nil {
		return 0, nil, err
	}
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	e := w.store.entries[key]
	return e.revision, e.value, nil
}

func (w *wire) Each(ctx context.Context, do func(key string, revision uint64, value []byte)) error {
	if err := w.pass(ctx); err != nil {
		return err
	}
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	for key, e := range w.store.entries {
		do(key, e.revision, e.value)
	}
	return nil
}
