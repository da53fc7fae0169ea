package lease

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrElsewhere is what Settle returns when something is at home with another
// process.
var ErrPlacedElsewhere = errors.New("another process is its home")

// Settle makes this process the home of something that is in one place for good,
// such as a file on its disk, if it has none yet. If another process is its home,
// the error wraps ErrElsewhere, unless move is set: then the home is moved here.
func (m *Member) Place(ctx context.Context, what string, move bool) error {
	if m.alone() {
		return nil
	}
	if err := m.settle(ctx, what, move); err != nil {
		return fmt.Errorf("settle %s: %w", what, err)
	}
	return nil
}

func (m *Member) settle(ctx context.Context, what string, move bool) error {
	if err := checkName(what); err != nil {
		return err
	}
	number, text, err := m.board.Get(ctx, homePrefix+what)
	if err != nil {
		return err
	}
	home := decodeLease(text)
	switch {
	case home.Node == m.node:
		return nil
	case home.Node != "" && !move:
		return fmt.Errorf("%w: %s, since %s", ErrPlacedElsewhere, home.Name, home.Since.Format(time.RFC3339))
	}
	_, written, err := m.write(ctx, homePrefix+what, m.note(), &number)
	if err != nil {
		return err
	}
	if !written {
		return fmt.Errorf("%w: it took it just now", ErrPlacedElsewhere)
	}
	m.log.Info("this process is the home", "of", what, "before", home.Name)
	return nil
}
