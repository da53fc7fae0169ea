package lease_test

import (
	"context"
	"sync"
)

// board is one in memory.
type board struct {
	mu     sync.Mutex
	number uint64
	notes  map[string]note
}

type note struct {
	number uint64
	text   []byte
}

// wire is a member's way to the board. While it is cut nothing comes back.
type wire struct {
	board *board

	mu   sync.Mutex
	down bool
}

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

func (w *wire) Put(ctx context.Context, name string, text []byte, after *uint64) (number uint64, written bool, err error) {
	if err := w.pass(ctx); err != nil {
		return 0, false, err
	}
	b := w.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if after != nil && *after != b.notes[name].number {
		return 0, false, nil
	}
	if b.notes == nil {
		b.notes = make(map[string]note)
	}
	b.number++
	b.notes[name] = note{b.number, text}
	return b.number, true, nil
}

func (w *wire) Get(ctx context.Context, name string) (number uint64, text []byte, err error) {
	if err := w.pass(ctx); err != nil {
		return 0, nil, err
	}
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	n := w.board.notes[name]
	return n.number, n.text, nil
}

func (w *wire) Each(ctx context.Context, do func(name string, number uint64, text []byte)) error {
	if err := w.pass(ctx); err != nil {
		return err
	}
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	for name, n := range w.board.notes {
		do(name, n.number, n.text)
	}
	return nil
}
