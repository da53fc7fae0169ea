package lease

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrPlacedElsewhere is what Place returns when another process has the resource.
var ErrPlacedElsewhere = errors.New("it is placed at another process")

// Place places a resource that exists once, such as a file on a disk, at this
// node for good, if it is placed nowhere yet. If it is placed at another node, the
// error wraps ErrPlacedElsewhere, unless move is set: then it is placed here from
// now on.
func (m *Member) Place(ctx context.Context, resource string, move bool) error {
	if m.store == nil {
		return nil
	}
	if err := checkName(resource); err != nil {
		return fmt.Errorf("place a resource: %w", err)
	}
	revision, value, err := m.store.Get(ctx, placementPrefix+resource)
	if err != nil {
		return fmt.Errorf("place %s: %w", resource, err)
	}
	at := decode[holderEntry](value)
	switch {
	case at.Node == m.node:
		return nil
	case at.Node != "" && !move:
		return fmt.Errorf("place %s: %w: %s, since %s", resource, ErrPlacedElsewhere, at.Name, at.Since.Format(time.RFC3339))
	}
	_, written, err := m.put(ctx, placementPrefix+resource, m.holder(), &revision)
	if err == nil && !written {
		err = fmt.Errorf("%w: that process placed it just now", ErrPlacedElsewhere)
	}
	if err != nil {
		return fmt.Errorf("place %s: %w", resource, err)
	}
	m.log.Info("resource placed at this process", "resource", resource, "before", at.Name)
	return nil
}
