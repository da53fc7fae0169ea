package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// openWarehouse makes the loader. A warehouse that cannot be opened stops neither
// intake nor lanes: the loader waits for it.
func (g *Gateway) openWarehouse(ctx context.Context) error {
	if !g.settings.Roles.Loader {
		return nil
	}
	g.store = newOpener(func(ctx context.Context) (warehouse.Warehouse, error) {
		return openStore(ctx, g.settings, false, g.log)
	})
	g.closers = append(g.closers, g.store.close)
	if err := g.prepareStore(ctx); err != nil {
		return err
	}
	var err error
	g.loader, err = warehouse.NewLoader(g.settings.Config.Warehouse.Loader, warehouse.Options{
		Open: g.store.get, Events: loaderFeed{g.feed()}, Outcomes: checkpoints{g.journal}, Loaded: g.loaded, Pinned: g.keptForLoader,
		Logger: g.log.With("component", "loader"), Registerer: g.registry, Reporter: g.reporter,
	})
	if err != nil {
		return err
	}
	g.loader.SetPlan(config.StoredPlan(g.settings.Plan))
	return errors.Join(pinFirst(ctx, g.journal.Events(), loaderReader), pinFirst(ctx, g.journal.Outcomes(), loaderReader))
}

// prepareStore opens a DuckDB file, so that its tables and views are there from
// the first query on. What may take long is left to the loader: a file that
// another process holds, and BigQuery, which may not answer.
func (g *Gateway) prepareStore(ctx context.Context) error {
	if g.settings.Config.Warehouse.Kind != config.KindDuckDB {
		return nil
	}
	store, err := g.store.get(ctx)
	if errors.Is(err, duckdb.ErrSlim) {
		return err
	}
	if err != nil { // the loader fails too, and reports it
		g.log.Error("the warehouse cannot be opened: events are accepted and kept in the journal until it can", "err", err)
		return nil
	}
	if err := errors.Join(store.Prepare(ctx), store.ApplyViews(ctx, config.ViewColumns(g.settings.Plan), false)); err != nil {
		return fmt.Errorf("prepare the warehouse: %w", err)
	}
	return nil
}

// keptForLoader is the first message of the events stream that the journal keeps
// for the loader.
func (g *Gateway) keptForLoader() uint64 { return g.journal.Events().Pins()[loaderReader] }

// openStore opens the warehouse that the configuration names. readOnly is for
// another process than the gateway's; BigQuery needs no such word, for a query
// there is one SELECT, and only a loader writes.
func openStore(ctx context.Context, s *config.Settings, readOnly bool, log *slog.Logger) (warehouse.Warehouse, error) {
	if s.Config.Warehouse.Kind == config.KindBigQuery {
		return openBigQuery(ctx, s, log)
	}
	config := s.Config.Warehouse.DuckDB
	config.ReadOnly = readOnly
	path := filepath.Join(s.Config.Data, "warehouse.duckdb")
	return duckdb.Open(ctx, path, config, duckdb.Options{Settle: s.Config.Warehouse.Loader.Settle})
}

// openBigQuery connects to BigQuery, with the key of the configuration or with
// Application Default Credentials.
func openBigQuery(ctx context.Context, s *config.Settings, log *slog.Logger) (*bigquery.Store, error) {
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
