package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// openWarehouse makes the loader. The warehouse itself is opened by whoever needs
// it first, the loader or a query: reading DuckDB's log after a crash, or a
// BigQuery that does not answer, delays neither intake nor lanes.
func (g *Gateway) openWarehouse(ctx context.Context) error {
	if !g.settings.Roles.Loader {
		return nil
	}
	if g.settings.Config.Warehouse.Kind == config.KindDuckDB && !duckdb.Available {
		return duckdb.ErrSlim
	}
	g.store = newOpener(g.openPrepared)
	g.closers = append(g.closers, g.store.close)
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

// openPrepared opens the warehouse. A DuckDB file then has its tables and views,
// so that they are there for the first query; BigQuery's are made by the loader.
func (g *Gateway) openPrepared(ctx context.Context) (warehouse.Warehouse, error) {
	store, err := openStore(ctx, g.settings, false, g.log)
	if err != nil {
		if ctx.Err() == nil { // the loader reports why, but not what it means
			g.log.Error("the warehouse cannot be opened: events are accepted and kept in the journal until it can", "err", err)
		}
		return nil, err
	}
	if g.settings.Config.Warehouse.Kind != config.KindDuckDB {
		return store, nil
	}
	err = store.Prepare(ctx)
	if err == nil {
		err = store.ApplyViews(ctx, config.ViewColumns(g.current.Load().Plan), false)
	}
	if err != nil && !fault.IsPermanent(err) { // a plan that its views refuse is reported by the loader, which applies it too
		return nil, errors.Join(fmt.Errorf("prepare the warehouse: %w", err), store.Close())
	}
	return store, nil
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
