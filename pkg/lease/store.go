package lease

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// Store is the key-value store that the members share.
type Store interface {
	// Put replaces the entry under a key and returns its revision, which is higher
	// than that of any entry before it. With after it does so only while the entry
	// has that revision, 0 for no entry; otherwise written is false.
	Put(ctx context.Context, key string, value []byte, after *uint64) (revision uint64, written bool, err error)
	// Get returns the entry under a key as the store's leader knows it. The
	// revision is 0 if there is none.
	Get(ctx context.Context, key string) (revision uint64, value []byte, err error)
	// Each calls do for every entry, perhaps as a replica that lags behind knows it.
	Each(ctx context.Context, do func(key string, revision uint64, value []byte)) error
}

// The prefixes of the keys. With the JSON names below they are the format that
// processes of different releases share.
const (
	memberPrefix    = "session."
	leasePrefix     = "lease."
	placementPrefix = "home."
)

// memberEntry says that a member is alive.
type memberEntry struct {
	Incarnation string   `json:"id"`
	Name        string   `json:"name"`
	Ready       []string `json:"shared,omitempty"` // for these balanced leases
}

// holderEntry says who has a lease, or where a resource is placed. Node is ""
// for nobody.
type holderEntry struct {
	Node        string    `json:"node"`
	Incarnation string    `json:"session"`
	Name        string    `json:"name"`
	Since       time.Time `json:"since"`
}

// decode returns the zero entry for a value that is empty or cannot be read.
func decode[E any](value []byte) E {
	var entry, none E
	if json.Unmarshal(value, &entry) != nil {
		return none
	}
	return entry
}

// put writes an entry as JSON.
func (m *Member) put(ctx context.Context, key string, entry any, after *uint64) (revision uint64, written bool, err error) {
	value, err := json.Marshal(entry)
	if err != nil {
		return 0, false, err
	}
	return m.store.Put(ctx, key, value, after)
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,96}$`)

func checkName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("name %q: want 1 to 96 letters, digits, \"-\" or \"_\"", name)
	}
	return nil
}
