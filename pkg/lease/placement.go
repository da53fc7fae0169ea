package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// ErrPlacedElsewhere is what Place returns when another process has the resource.
var ErrPlacedElsewhere = errors.New("it is placed at another process")

// Place places a resource that exists once, such as a file on a disk, at this
// node for good, if it is placed nowhere yet. If it is placed at another node, the
// error wraps ErrPlacedElsewhere, unless move is set: then it is placed here from
// now on.
func (m *Member) Place(ctx context.Context, resource string, move bool) (err error) {
	defer fault.Wrap(&err, "place %s", resource)
	if m.store == nil {
		return nil
	}
	if err := checkName(resource); err != nil {
		return err
	}
	revision, value, err := m.store.Get(ctx, placementPrefix+resource)
	if err != nil {
		return err
	}
	at := decode[holderEntry](value)
	switch {
	case at.Node == m.node:
		return nil
	case at.Node != "" && !move:
		return fmt.Errorf("%w: %s, since %s", ErrPlacedElsewhere, at.Name, at.Since.Format(time.RFC3339))
	}
	_, written, err := m.put(ctx, placementPrefix+resource, m.holder(), &revision)
	if err != nil {
		return err
	}
	if !written {
		return fmt.Errorf("%w: that process placed it just now", ErrPlacedElsewhere)
	}
	m.log.Info("resource placed at this process", "resource", resource, "before", at.Name)
	return nil
}
