package gateway

import (
	"context"
	"errors"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
)

// errNoPermissions says that the warehouse is a file.
var errNoPermissions = errors.New("the warehouse is a DuckDB file, which needs no permissions: this is for warehouse.kind: bigquery")

// Permissions tries what the gateway needs to be allowed in BigQuery.
func Permissions(ctx context.Context, s *Settings) ([]bigquery.Permission, error) {
	if s.Config.Warehouse.Kind != kindBigQuery {
		return nil, errNoPermissions
	}
	store, err := openBigQuery(ctx, s, nil)
	if err != nil {
		return nil, err
	}
	list, err := store.Probe(ctx)
	return list, errors.Join(err, store.Close())
}
