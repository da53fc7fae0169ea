package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"golang.org/x/sync/semaphore"

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
	g.warehouse = newLazyWarehouse(g.openPrepared)
	g.closers = append(g.closers, g.warehouse.close)
	var err error
	g.loader, err = warehouse.NewLoader(g.settings.Config.Warehouse.Loader, warehouse.Options{
		Open: g.warehouse.get, Events: loaderFeed{g.feed()}, Outcomes: checkpoints{g.journal}, Loaded: g.loaded, Pinned: func() uint64 { return g.journal.Events().Pins()[loaderReader] },
		Logger: g.log.With("component", "loader"), Registerer: g.registry, Reporter: g.reporter,
	})
	if err != nil {
		return err
	}
	g.loader.SetPlan(config.StoredPlan(g.settings.Plan))
	return pinFirst(ctx, loaderReader, g.journal.Events(), g.journal.Outcomes())
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

// reopenPause is the time between two attempts to open a warehouse.
const reopenPause = 5 * time.Second

// lazyWarehouse opens a warehouse when it is needed first, and keeps it. While it cannot
// be opened (another process holds its file, or BigQuery does not answer), every
// get fails, so that intake and lanes go on and the loader catches up later.
type lazyWarehouse struct {
	open func(context.Context) (warehouse.Warehouse, error)
	lock *semaphore.Weighted // a mutex whose waiters heed their context

	store warehouse.Warehouse
	err   error     // of the last attempt
	tried time.Time // when that was
}

func newLazyWarehouse(open func(context.Context) (warehouse.Warehouse, error)) *lazyWarehouse {
	return &lazyWarehouse{open: open, lock: semaphore.NewWeighted(1)}
}

// get returns the warehouse. It tries to open it if it is not open and the last
// attempt is at least reopenPause ago; else it returns that attempt's error.
func (l *lazyWarehouse) get(ctx context.Context) (warehouse.Warehouse, error) {
	if err := l.lock.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer l.lock.Release(1)
	if l.store == nil && time.Since(l.tried) >= reopenPause {
		l.store, l.err = l.open(ctx)
		l.tried = time.Now()
	}
	return l.store, l.err
}

// closeLimit bounds the wait for an opening under way: DuckDB reads its log to the
// end, whoever waits.
const closeLimit = 10 * time.Second

// close closes the warehouse if it is open.
func (l *lazyWarehouse) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if err := l.lock.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("close warehouse: it was still being opened after %s", closeLimit)
	}
	defer l.lock.Release(1)
	if l.store == nil {
		return nil
	}
	return l.store.Close()
}

// Access is what an account may do in a dataset.
type Access struct {
	Project, Dataset string
	Account          string // its e-mail address, or where it is taken from
	Permissions      []bigquery.Permission
}

// CheckAccess tries what the gateway needs to be allowed in BigQuery. An error
// says why BigQuery cannot be asked; the Access then has what was tried before.
func CheckAccess(ctx context.Context, s *config.Settings) (*Access, error) {
	if s.Config.Warehouse.Kind != config.KindBigQuery {
		return nil, errors.New("the warehouse is a DuckDB file, which needs no permissions: this is for warehouse.kind: bigquery")
	}
	config := s.Config.Warehouse.BigQuery
	access := &Access{Project: config.Project, Dataset: config.Dataset, Account: accountOf(config)}
	store, err := openBigQuery(ctx, s, nil)
	if err != nil {
		return access, err
	}
	access.Permissions, err = store.Probe(ctx)
	if closeErr := store.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close warehouse: %w", closeErr)
	}
	return access, err
}

// accountOf names the account that asks.
func accountOf(c bigquery.Config) string {
	switch key := c.Credentials.Reveal(); {
	case c.Insecure:
		return "nobody (insecure)"
	case key == "":
		return "Application Default Credentials"
	default:
		account, err := auth.ParseServiceAccount([]byte(key))
		if err != nil {
			return "an unreadable key" // the configuration's check said why
		}
		return account.Email()
	}
}
