package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// MaxNames is how many event names of a source and day are counted apart.
const MaxNames = 1000

// maxNameSets bounds how many days and sources are kept in memory; others are
// read again from the warehouse.
const maxNameSets = 64

// countedNames decides which event names are counted apart. Its memory equals the
// names table as it will be after the batch at hand is loaded, so a batch is
// assigned once and then loaded until it succeeds.
type countedNames struct {
	names func(ctx context.Context, day time.Time, source string) ([]string, error)
	sets  map[daySource]map[string]struct{}
}

type daySource struct {
	day    int64 // seconds since 1970
	source string
}

func newCountedNames(names func(context.Context, time.Time, string) ([]string, error)) *countedNames {
	return &countedNames{names: names, sets: map[daySource]map[string]struct{}{}}
}

// assign replaces the event names of the batch by those they are counted under
// and lists the new ones in b.Names. A delivery without a source has no name. It
// changes nothing when it fails.
func (c *countedNames) assign(ctx context.Context, b *Batch) error {
	if err := c.read(ctx, b); err != nil {
		return err
	}
	for i := range b.Raw {
		r := &b.Raw[i]
		r.Event = c.counted(b, Day(r.Timestamp), r.Source, r.Event)
	}
	for i := range b.Deliveries {
		if d := &b.Deliveries[i]; d.Source != "" {
			d.Event = c.counted(b, d.Day, d.Source, d.Event)
		}
	}
	for i := range b.Filtered {
		f := &b.Filtered[i]
		f.Event = c.counted(b, f.Day, f.Source, f.Event)
	}
	for i := range b.Leaks {
		k := &b.Leaks[i]
		k.Event = c.counted(b, k.Day, k.Source, k.Event)
	}
	return nil
}

// counted is the name under which an event is counted; a new one is noted in b.
func (c *countedNames) counted(b *Batch, day time.Time, source, name string) string {
	if name == event.NameMalformed || name == event.NameInvalid || name == NameOther {
		return name
	}
	set := c.sets[daySource{day.Unix(), source}]
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
func (c *countedNames) read(ctx context.Context, b *Batch) error {
	needed := map[daySource]time.Time{}
	for i := range b.Raw {
		day := Day(b.Raw[i].Timestamp)
		needed[daySource{day.Unix(), b.Raw[i].Source}] = day
	}
	for i := range b.Deliveries {
		if d := &b.Deliveries[i]; d.Source != "" {
			needed[daySource{d.Day.Unix(), d.Source}] = d.Day
		}
	}
	for i := range b.Filtered {
		needed[daySource{b.Filtered[i].Day.Unix(), b.Filtered[i].Source}] = b.Filtered[i].Day
	}
	for i := range b.Leaks {
		needed[daySource{b.Leaks[i].Day.Unix(), b.Leaks[i].Source}] = b.Leaks[i].Day
	}
	c.forget(needed)
	for key, day := range needed {
		if c.sets[key] != nil {
			continue
		}
		names, err := c.names(ctx, day, key.source)
		if err != nil {
			return fmt.Errorf("read event names: %w", err)
		}
		set := make(map[string]struct{}, len(names))
		for _, name := range names {
			set[name] = struct{}{}
		}
		c.sets[key] = set
	}
	return nil
}

// forget drops the oldest sets that the batch does not need.
func (c *countedNames) forget(needed map[daySource]time.Time) {
	if len(c.sets) <= maxNameSets {
		return
	}
	keys := slices.SortedFunc(maps.Keys(c.sets), func(a, b daySource) int { return int(a.day/86400 - b.day/86400) })
	for _, key := range keys[:len(keys)-maxNameSets] {
		if _, used := needed[key]; !used {
			delete(c.sets, key)
		}
	}
}
