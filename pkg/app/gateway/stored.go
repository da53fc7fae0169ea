package gateway

import (
	"context"
	"errors"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Stored answers questions about what a gateway stored, while none runs.
type Stored struct {
	lookup
	store warehouse.Warehouse
}

// OpenStored opens the stored warehouse for reading only. A DuckDB file fails when
// there is none, or when a gateway has it open; BigQuery is asked, and shows with the
// first question whether it answers.
func OpenStored(ctx context.Context, s *config.Settings) (*Stored, error) {
	store, err := openStore(ctx, s, true, nil)
	if err != nil {
		return nil, err
	}
	clean, err := config.OpenSanitizer(s)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &Stored{lookup{store, s, clean}, store}, nil
}

// Close releases the file or the connections.
func (s *Stored) Close() {
	_ = s.store.Close() // read only: there is nothing to lose
}
