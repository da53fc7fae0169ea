package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// openWarehouse opens the warehouse and makes its loader. A warehouse that
// cannot be opened stops neither intake nor lanes: the loader waits for it.
func (g *Gateway) openWarehouse(ctx context.Context) error {
	if !g.settings.roles.loader {
		return nil
	}
	store, err := g.reachStore(ctx)
	if err != nil {
		return err
	}
	g.store = store
	g.closers = append(g.closers, store.Close)
	g.loader, err = warehouse.NewLoader(g.settings.Config.Warehouse.Loader, warehouse.Options{
		Warehouse: store, Events: loaderFeed{g.feed()}, Outcomes: reports{g.journal}, Loaded: g.loaded, Pinned: g.keptForLoader,
		Logger: g.log.With("component", "loader"), Registerer: g.registry, Reporter: g.reporter,
	})
	if err != nil {
		return err
	}
	g.loader.SetPlan(planForViews(g.settings.Plan))
	return errors.Join(g.claim(ctx, g.journal.Events(), loaderReader), g.claim(ctx, g.journal.Outcomes(), loaderReader))
}

// reachStore opens a DuckDB file, whose tables and views are then there from the
// first query on. Anything that may take long is left to the loader: a file that
// somebody else holds, and BigQuery, which may be away.
func (g *Gateway) reachStore(ctx context.Context) (warehouse.Warehouse, error) {
	open := func(ctx context.Context) (warehouse.Warehouse, error) {
		return openStore(ctx, g.settings, false, g.log)
	}
	if g.settings.Config.Warehouse.Kind != kindDuckDB {
		return newAwaited(open), nil
	}
	store, err := open(ctx)
	if errors.Is(err, duckdb.ErrSlim) {
		return nil, err
	}
	if err != nil { // the loader meets it again, and reports it
		g.log.Error("the warehouse cannot be opened: events are taken and kept in the journal until it can", "err", err)
		return newAwaited(open), nil
	}
	if err := g.prepareStore(ctx, store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// keptForLoader is the first message of the events stream that the journal keeps
// for the loader.
func (g *Gateway) keptForLoader() uint64 { return g.journal.Events().Pins()[loaderReader] }

// openStore opens the warehouse that the configuration names. readOnly is for
// another process than the gateway's; BigQuery needs no such word, for a query
// there is one SELECT, and nothing writes but a loader.
func openStore(ctx context.Context, s *Settings, readOnly bool, log *slog.Logger) (warehouse.Warehouse, error) {
	if s.Config.Warehouse.Kind == kindBigQuery {
		return openBigQuery(ctx, s, log)
	}
	config := s.Config.Warehouse.DuckDB
	config.ReadOnly = readOnly
	path := filepath.Join(s.Config.Data, "warehouse.duckdb")
	return duckdb.Open(ctx, path, config, duckdb.Options{Settle: s.Config.Warehouse.Loader.Settle})
}

// openBigQuery connects to BigQuery, with the key of the configuration or with
// Application Default Credentials.
func openBigQuery(ctx context.Context, s *Settings, log *slog.Logger) (*bigquery.Store, error) {
	config, loader := s.Config.Warehouse.BigQuery, s.Config.Warehouse.Loader
	options := bigquery.Options{Settle: loader.Settle, Retention: loader.Retention, Logger: log}
	if !config.Insecure {
		// The source lives as long as the process does.
		tokens, err := auth.Google(context.WithoutCancel(ctx), config.Credentials.Reveal(), auth.BigQueryScope)
		if err != nil {
			return nil, fmt.Errorf("open warehouse: %w", err)
		}
		options.Tokens = tokens
	}
	return bigquery.Open(ctx, config, options)
}

func (g *Gateway) prepareStore(ctx context.Context, store warehouse.Warehouse) error {
	if err := errors.Join(store.Prepare(ctx), store.ApplyViews(ctx, viewColumns(g.settings.Plan), false)); err != nil {
		return fmt.Errorf("prepare the warehouse: %w", err)
	}
	return nil
}
