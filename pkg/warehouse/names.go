package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// MaxNames is how many event names of a source and day are counted apart.
const MaxNames = 1000

// maxLedgers bounds how many days and sources are kept in memory; others are
// read again from the warehouse.
const maxLedgers = 64

// ledger decides which event names are counted apart. Its memory equals the
// names table as it will be after the batch at hand is loaded, so a batch is
// assigned once and then loaded until it succeeds.
type ledger struct {
	names func(ctx context.Context, day time.Time, source string) ([]string, error)
	sets  map[ledgerKey]map[string]struct{}
}

type ledgerKey struct {
	day    int64 // seconds since 1970
	source string
}

func newLedger(names func(context.Context, time.Time, string) ([]string, error)) *ledger {
	return &ledger{names: names, sets: map[ledgerKey]map[string]struct{}{}}
}

// assign replaces the event names of the batch by those they are counted under
// and lists the new ones in b.Names. It changes nothing when it fails.
func (l *ledger) assign(ctx context.Context, b *Batch) error {
	if err := l.read(ctx, b); err != nil {
		return err
	}
	for i := range b.Raw {
		r := &b.Raw[i]
		r.Event = l.counted(b, Day(r.Timestamp), r.Source, r.Event)
	}
	for i := range b.Filtered {
		f := &b.Filtered[i]
		f.Event = l.counted(b, f.Day, f.Source, f.Event)
	}
	for i := range b.Leaks {
		k := &b.Leaks[i]
		k.Event = l.counted(b, k.Day, k.Source, k.Event)
	}
	return nil
}

// counted is the name under which an event is counted; a new one is noted in b.
func (l *ledger) counted(b *Batch, day time.Time, source, name string) string {
	if name == NameMalformed || name == NameInvalid || name == NameOther {
		return name
	}
	set := l.sets[ledgerKey{day.Unix(), source}]
	if _, known := set[name]; known {
		return name
	}
	if len(set) >= MaxNames {
		return NameOther
	}
	set[name] = struct{}{}
	b.Names = append(b.Names, NameRow{Day: day, Source: source, Event: name})
	return name
}

// read makes sure that the sets of all days and sources of the batch are in memory.
func (l *ledger) read(ctx context.Context, b *Batch) error {
	needed := map[ledgerKey]time.Time{}
	for i := range b.Raw {
		day := Day(b.Raw[i].Timestamp)
		needed[ledgerKey{day.Unix(), b.Raw[i].Source}] = day
	}
	for i := range b.Filtered {
		needed[ledgerKey{b.Filtered[i].Day.Unix(), b.Filtered[i].Source}] = b.Filtered[i].Day
	}
	for i := range b.Leaks {
		needed[ledgerKey{b.Leaks[i].Day.Unix(), b.Leaks[i].Source}] = b.Leaks[i].Day
	}
	l.forget(needed)
	for key, day := range needed {
		if l.sets[key] != nil {
			continue
		}
		names, err := l.names(ctx, day, key.source)
		if err != nil {
			return fmt.Errorf("read event names: %w", err)
		}
		set := make(map[string]struct{}, len(names))
		for _, name := range names {
			set[name] = struct{}{}
		}
		l.sets[key] = set
	}
	return nil
}

// forget drops the oldest sets that the batch does not need.
func (l *ledger) forget(needed map[ledgerKey]time.Time) {
	if len(l.sets) <= maxLedgers {
		return
	}
	keys := slices.SortedFunc(maps.Keys(l.sets), func(a, b ledgerKey) int { return int(a.day/86400 - b.day/86400) })
	for _, key := range keys[:len(keys)-maxLedgers] {
		if _, used := needed[key]; !used {
			delete(l.sets, key)
		}
	}
}
