package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// reopenPause is the time between two attempts to open a warehouse.
const reopenPause = 5 * time.Second

// opener opens a warehouse when it is needed first, and keeps it. While it cannot
// be opened (another process holds its file, or BigQuery does not answer), every
// get fails, so that intake and lanes go on and the loader catches up later.
type opener struct {
	open func(context.Context) (warehouse.Warehouse, error)
	lock chan struct{} // a mutex whose waiters heed their context

	store warehouse.Warehouse
	err   error     // of the last attempt
	tried time.Time // when that was
}

func newOpener(open func(context.Context) (warehouse.Warehouse, error)) *opener {
	return &opener{open: open, lock: make(chan struct{}, 1)}
}

// get returns the warehouse. It tries to open it if it is not open and the last
// attempt is at least reopenPause ago; else it returns that attempt's error.
func (o *opener) get(ctx context.Context) (warehouse.Warehouse, error) {
	select {
	case o.lock <- struct{}{}:
		defer func() { <-o.lock }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if o.store == nil && time.Since(o.tried) >= reopenPause {
		o.store, o.err = o.open(ctx)
		o.tried = time.Now()
	}
	return o.store, o.err
}

// closeLimit bounds the wait for an opening under way: DuckDB reads its log to the
// end, whoever waits.
const closeLimit = 10 * time.Second

// close closes the warehouse if it is open.
func (o *opener) close() error {
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case o.lock <- struct{}{}:
		defer func() { <-o.lock }()
	case <-limit.C:
		return fmt.Errorf("close warehouse: it was still being opened after %s", closeLimit)
	}
	if o.store == nil {
		return nil
	}
	return o.store.Close()
}
