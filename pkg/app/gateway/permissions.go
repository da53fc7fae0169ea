package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
)

// errNoPermissions says that the warehouse is a file.
var errNoPermissions = errors.New("the warehouse is a DuckDB file, which needs no permissions: this is for warehouse.kind: bigquery")

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
		return nil, errNoPermissions
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
