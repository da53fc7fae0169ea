package gateway

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// openWarehouse opens the warehouse and makes its loader. A warehouse that
// cannot be opened stops neither intake nor lanes: the loader waits for it.
func (g *Gateway) openWarehouse(ctx context.Context) error {
	if !g.settings.roles.loader {
		return nil
	}
	store, err := openStore(ctx, g.settings, g.settings.Config.Warehouse.DuckDB)
	switch {
	case errors.Is(err, duckdb.ErrSlim):
		return err
	case err != nil:
		g.tell("loader", "open warehouse", err)
		g.log.Error("the warehouse cannot be opened: events are taken and kept in the journal until it can", "err", err)
		store = &awaited{open: func(ctx context.Context) (warehouse.Warehouse, error) {
			return openStore(ctx, g.settings, g.settings.Config.Warehouse.DuckDB)
		}}
	default:
		// Tables and views are there from the first query on.
		if err := g.prepareStore(ctx, store); err != nil {
			return errors.Join(err, store.Close())
		}
	}
	g.store = store
	g.closers = append(g.closers, store.Close)
	g.loader, err = warehouse.NewLoader(g.settings.Config.Warehouse.Loader, warehouse.Options{
		Warehouse: store, Events: loaderFeed{g.feed()}, Outcomes: reports{g.journal}, Loaded: g.loaded,
		Logger: g.log.With("component", "loader"), Registerer: g.registry, Observer: g.reporter,
	})
	if err != nil {
		return err
	}
	g.loader.SetPlan(planForViews(g.settings.Plan))
	return errors.Join(g.claim(ctx, g.journal.Events(), loaderReader), g.claim(ctx, g.journal.Outcomes(), loaderReader))
}

// openStore opens the warehouse that the configuration names.
func openStore(ctx context.Context, s *Settings, config duckdb.Config) (warehouse.Warehouse, error) {
	path := filepath.Join(s.Config.Data, "warehouse.duckdb")
	return duckdb.Open(ctx, path, config, duckdb.Options{Settle: s.Config.Warehouse.Loader.Settle})
}

func (g *Gateway) prepareStore(ctx context.Context, store warehouse.Warehouse) error {
	if err := errors.Join(store.Prepare(ctx), store.ApplyViews(ctx, viewColumns(g.settings.Plan), false)); err != nil {
		return fmt.Errorf("prepare the warehouse: %w", err)
	}
	return nil
}
