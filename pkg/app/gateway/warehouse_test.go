package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// closing is a warehouse that counts how often it is closed.
type closing struct {
	warehouse.Warehouse
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

func TestLazyWarehouseTriesAgainAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, attempts, away := &closing{}, 0, errors.New("another process has the file")
		o := newLazyWarehouse(func(context.Context) (warehouse.Warehouse, error) {
			if attempts++; attempts < 2 {
				return nil, away
			}
			return store, nil
		})
		for range 2 { // the second is within the pause
			if _, err := o.get(t.Context()); !errors.Is(err, away) || attempts != 1 {
				t.Fatalf("%v after %d attempts", err, attempts)
			}
		}
		if err := o.close(); err != nil {
			t.Errorf("close what is not open: %v", err)
		}
		for range 2 {
			time.Sleep(reopenPause)
			if got, err := o.get(t.Context()); err != nil || got != warehouse.Warehouse(store) || attempts != 2 {
				t.Fatalf("%v, %v after %d attempts", got, err, attempts)
			}
		}
		if err := o.close(); err != nil || store.closed != 1 {
			t.Errorf("closed %d times: %v", store.closed, err)
		}
	})
}

func TestLazyWarehouseHeedsTheContextWhileAnotherOpens(t *testing.T) {
	opening, release := make(chan struct{}), make(chan struct{})
	o := newLazyWarehouse(func(context.Context) (warehouse.Warehouse, error) {
		close(opening)
		<-release
		return &closing{}, nil
	})
	done := make(chan error)
	go func() { _, err := o.get(t.Context()); done <- err }()
	<-opening
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
