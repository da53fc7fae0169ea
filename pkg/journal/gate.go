package journal

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

const (
	fullWait        = 5 * time.Second
	unavailableWait = 2 * time.Second
)

// gate knows why nothing can be stored now, so that a caller is refused without a
// publish.
type gate struct {
	minFree quantity.Size
	free    atomic.Int64          // bytes left on the disk, as last seen
	full    atomic.Bool           // the events stream is at its bound
	stalled atomic.Bool           // publishes get no answer
	broken  atomic.Pointer[error] // why the directory cannot be used, as last seen
}

// setBroken sets why the directory cannot be used, nil for nothing, and reports
// whether it begins to fail.
func (g *gate) setBroken(err error) (begins bool) {
	if err == nil {
		g.broken.Store(nil)
		return false
	}
	return g.broken.Swap(&err) == nil
}

// events returns the error for an append, or nil.
func (g *gate) events() error {
	if g.full.Load() {
		return errFull("the events stream is at its bound and its readers are behind")
	}
	return g.disk(int64(g.minFree))
}

// outcomes returns the error for a publish, or nil. Lanes may use the last half of
// minFree, because their checkpoints allow the journal to be trimmed.
func (g *gate) outcomes() error { return g.disk(int64(g.minFree) / 2) }

func (g *gate) disk(least int64) error {
	if broken := g.broken.Load(); broken != nil {
		return errUnavailable(*broken)
	}
	if free := g.free.Load(); free < least {
		return errFull(fmt.Sprintf("the disk has %d MiB left, less than minFree allows (%d MiB): free some space, or lower journal.minFree", free>>20, least>>20))
	}
	return nil
}

func (g *gate) stuck() error {
	if g.stalled.Load() {
		return errUnavailable(errors.New("it does not answer"))
	}
	return nil
}

func errUnavailable(why error) error {
	return fault.After(fmt.Errorf("%w: %w", ErrUnavailable, why), unavailableWait)
}

func errFull(why string) error {
	return fault.After(fmt.Errorf("%w: %s", ErrFull, why), fullWait)
}
