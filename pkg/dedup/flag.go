package dedup

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// FlagDuplicates sets Duplicate of records that were read from the journal, in its
// order and of one epoch, as the records of a batch are. It waits until the follower
// has decided all of them, or ctx ends. The error wraps ErrTrimmed if Trim has dropped
// some of their flags; it is ErrClosed after Close.
func (i *Index) FlagDuplicates(ctx context.Context, records []event.Record) (err error) {
	defer fault.Wrap(&err, "flag duplicates")
	if len(records) == 0 {
		return nil
	}
	if !ordered(records) {
		return errors.New("records must be in the journal's order and of one epoch")
	}
	first, last := records[0].Receipt.Position, records[len(records)-1].Receipt
	for {
		incarnation, err := i.await(ctx, last)
		if err != nil {
			return err
		}
		err = i.scan(records)
		i.mu.Lock()
		again, trimmed := i.incarnation != incarnation, i.trimmed
		i.mu.Unlock()
		switch {
		case again:
			// The index was emptied meanwhile: what was read may be incomplete.
		case first.Before(trimmed):
			return fmt.Errorf("from %s: before %s: %w", first, trimmed, ErrTrimmed)
		default:
			return err
		}
	}
}

func ordered(records []event.Record) bool {
	for n := 1; n < len(records); n++ {
		before, after := &records[n-1].Receipt, &records[n].Receipt
		if before.Epoch != after.Epoch || !before.Position.Before(after.Position) {
			return false
		}
	}
	return true
}

// await blocks until the record is decided.
func (i *Index) await(ctx context.Context, r event.Receipt) (incarnation int, err error) {
	for {
		i.mu.Lock()
		if i.closed {
			i.mu.Unlock()
			return 0, ErrClosed
		}
		if i.ready && i.state.epoch == r.Epoch && r.Position.Before(i.state.applied) {
			defer i.mu.Unlock()
			return i.incarnation, nil
		}
		if i.changed == nil {
			i.changed = make(chan struct{})
		}
		changed := i.changed
		i.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the follower: %w", ctx.Err())
		}
	}
}

// scan sets Duplicate by one pass over the flags in the records' range.
func (i *Index) scan(records []event.Record) (err error) {
	i.life.RLock()
	defer i.life.RUnlock()
	first, last := records[0].Receipt.Position, records[len(records)-1].Receipt.Position
	if i.store == nil {
		return errors.New("the store is being opened again") // FlagDuplicates waits again
	}
	defer func() {
		if damaged(err) {
			i.store.fail(err)
		}
	}()
	iter, err := i.store.db.NewIter(&pebble.IterOptions{LowerBound: appendFlagKey(nil, first), UpperBound: append(appendFlagKey(nil, last), 0)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, iter.Close()) }()

	flagged := make(map[event.Position]bool) // few are
	for valid := iter.First(); valid; valid = iter.Next() {
		p, err := parseFlagKey(iter.Key())
		if err != nil {
			return err
		}
		flagged[p] = true
	}
	for n := range records {
		records[n].Duplicate = flagged[records[n].Receipt.Position]
	}
	return iter.Error()
}
