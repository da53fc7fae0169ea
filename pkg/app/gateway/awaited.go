package gateway

import (
	"context"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// awaited is a warehouse that is opened by whoever needs it first: one that could
// not be opened yet (another process holds its file, or it is damaged), or one
// whose opening may take long. Each call tries again, not more often than once in
// a while, so that intake and lanes go on meanwhile and the loader catches up as
// soon as it can.
type awaited struct {
	open func(context.Context) (warehouse.Warehouse, error)
	turn chan struct{} // holds a token while nobody looks at what follows

	store warehouse.Warehouse
	err   error     // why it is not open
	tried time.Time // when that was
}

func newAwaited(open func(context.Context) (warehouse.Warehouse, error)) *awaited {
	a := &awaited{open: open, turn: make(chan struct{}, 1)}
	a.turn <- struct{}{}
	return a
}

// awaitedPause is the time between two tries.
const awaitedPause = 5 * time.Second

func (a *awaited) get(ctx context.Context) (warehouse.Warehouse, error) {
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if a.store == nil && time.Since(a.tried) >= awaitedPause {
		a.store, a.err = a.open(ctx)
		a.tried = time.Now()
	}
	return a.store, a.err
}

// Prepare implements warehouse.Warehouse.
func (a *awaited) Prepare(ctx context.Context) error {
	w, err := a.get(ctx)
	if err != nil {
		return err
	}
	return w.Prepare(ctx)
}

// Marks implements warehouse.Warehouse.
func (a *awaited) Positions(ctx context.Context) ([]warehouse.StreamPosition, error) {
	w, err := a.get(ctx)
	if err != nil {
		return nil, err
	}
	return w.Positions(ctx)
}

// Names implements warehouse.Warehouse.
func (a *awaited) Names(ctx context.Context, day time.Time, source string) ([]string, error) {
	w, err := a.get(ctx)
	if err != nil {
		return nil, err
	}
	return w.Names(ctx, day, source)
}

// Load implements warehouse.Warehouse.
func (a *awaited) Load(ctx context.Context, batch *warehouse.Batch) error {
	w, err := a.get(ctx)
	if err != nil {
		return err
	}
	return w.Load(ctx, batch)
}

// SavePlan implements warehouse.Warehouse.
func (a *awaited) SavePlan(ctx context.Context, version, text string) error {
	w, err := a.get(ctx)
	if err != nil {
		return err
	}
	return w.SavePlan(ctx, version, text)
}

// ApplyViews implements warehouse.Warehouse.
func (a *awaited) ApplyViews(ctx context.Context, columns []warehouse.Column, drop bool) error {
	w, err := a.get(ctx)
	if err != nil {
		return err
	}
	return w.ApplyViews(ctx, columns, drop)
}

// Query implements warehouse.Warehouse.
func (a *awaited) Query(ctx context.Context, query string, limits warehouse.Limits, args ...any) (*warehouse.Result, error) {
	w, err := a.get(ctx)
	if err != nil {
		return nil, err
	}
	return w.Query(ctx, query, limits, args...)
}

// Expire implements warehouse.Warehouse.
func (a *awaited) Expire(ctx context.Context, before time.Time) error {
	w, err := a.get(ctx)
	if err != nil {
		return err
	}
	return w.Expire(ctx, before)
}

// Close implements warehouse.Warehouse.
func (a *awaited) Close() error {
	<-a.turn
	defer func() { a.turn <- struct{}{} }()
	if a.store == nil {
		return nil
	}
	return a.store.Close()
}
