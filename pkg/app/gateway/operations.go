package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
	"github.com/sparrow-edge/sparrow/pkg/trail"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// operations is what the admin socket offers of a running gateway. It implements
// admin.Operations.
type operations struct {
	warehouse *lazyWarehouse // nil without the loader role
	current   *atomic.Pointer[config.Settings]
	sanitizer *sanitizer.Sanitizer
	feed      feed
	lanes     *lanes
	report    func(component, class string, err error)
}

var errNoWarehouse = admin.BadRequest(errors.New("this process does not run the loader role and has no warehouse; ask the one that does"))

// lookup is what answers questions about what is stored, once the warehouse is open.
func (o operations) lookup(ctx context.Context) (lookup, error) {
	if o.warehouse == nil {
		return lookup{}, errNoWarehouse
	}
	store, err := o.warehouse.get(ctx)
	if err != nil {
		return lookup{}, err
	}
	return lookup{store, o.current.Load(), o.sanitizer}, nil
}

// Query implements admin.Questions.
func (o operations) Query(ctx context.Context, sql string, maxRows int) (*admin.Table, error) {
	b, err := o.lookup(ctx)
	if err != nil {
		return nil, err
	}
	return b.Query(ctx, sql, maxRows)
}

// Event implements admin.Questions.
func (o operations) Event(ctx context.Context, id string, withRequest bool) ([]trail.Trail, error) {
	b, err := o.lookup(ctx)
	if err != nil {
		return nil, err
	}
	trails, err := b.Event(ctx, id, withRequest)
	for i := range trails {
		o.lanes.sayWhyPending(trails[i].Steps)
	}
	return trails, err
}

// Reconcile implements admin.Questions.
func (o operations) Reconcile(ctx context.Context, since time.Time) (*admin.Table, error) {
	b, err := o.lookup(ctx)
	if err != nil {
		return nil, err
	}
	return b.Reconcile(ctx, since)
}

// Verify implements admin.Questions. Sums that differ are reported, too.
func (o operations) Verify(ctx context.Context, since time.Time) (admin.Verification, error) {
	b, err := o.lookup(ctx)
	if err != nil {
		return admin.Verification{}, err
	}
	v, err := b.Verify(ctx, since)
	if n := len(v.Differences.Rows); n > 0 {
		o.report("warehouse", "sums differ", fmt.Errorf("%d sums of the last %d days do not agree with their rows; the first: %v", n, v.Days, v.Differences.Rows[0]))
	}
	return v, err
}

// UncountedDays implements admin.Questions.
func (o operations) UncountedDays(ctx context.Context, since time.Time) ([]admin.UncountedDay, error) {
	b, err := o.lookup(ctx)
	if err != nil {
		return nil, err
	}
	return b.UncountedDays(ctx, since)
}

// CountDay implements admin.Questions.
func (o operations) CountDay(ctx context.Context, day time.Time) (admin.UncountedDay, error) {
	b, err := o.lookup(ctx)
	if err != nil {
		return admin.UncountedDay{}, err
	}
	return b.CountDay(ctx, day)
}

// Trackers implements admin.Operations.
func (o operations) Trackers(ctx context.Context) ([]admin.TrackerStatus, error) {
	return o.lanes.status(ctx)
}

// RemoveTracker implements admin.Operations.
func (o operations) RemoveTracker(ctx context.Context, name string) (admin.Removal, error) {
	if !o.current.Load().Roles.Trace {
		return admin.Removal{}, admin.BadRequest(errors.New("this process does not run the trace role; ask one that does"))
	}
	return o.lanes.remove(ctx, name)
}

// Tail implements admin.Operations.
func (o operations) Tail(ctx context.Context, filter admin.TailFilter, emit func(admin.TailEvent) error) error {
	end, err := o.feed.End(ctx)
	if err != nil {
		return err
	}
	reader, err := o.feed.open(ctx, end)
	if err != nil {
		return err
	}
	defer reader.Close()
	for {
		batch, err := reader.Next(ctx)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range batch.Records {
			e := tailEvent(&batch.Records[i])
			if filter.Source != "" && e.Source != filter.Source || filter.Event != "" && e.Event != filter.Event {
				continue
			}
			if err := emit(e); err != nil {
				return err
			}
		}
	}
}

func tailEvent(r *event.Record) admin.TailEvent {
	e := admin.TailEvent{ReceivedAt: r.ReceivedAt, Receipt: r.Receipt.String(), EventID: r.EventID, Source: r.Source, Data: string(r.Data)}
	if !utf8.Valid(r.Data) {
		e.Data = base64.StdEncoding.EncodeToString(r.Data)
	}
	switch {
	case r.Context.Malformed != "":
		e.Note = "malformed: " + r.Context.Malformed
	case r.Context.Invalid != "":
		e.Note = "invalid: " + r.Context.Invalid
	case r.Duplicate:
		e.Note = "duplicate"
	}
	if r.Usable() {
		var parsed event.Event
		if err := event.Parse(r, &parsed); err == nil {
			e.Event, e.DeviceID, e.UserID = parsed.Name, parsed.DeviceID, parsed.UserID
		}
	}
	return e
}

// ApplyViews implements admin.Operations.
func (o operations) ApplyViews(ctx context.Context, drop bool) (admin.ViewChange, error) {
	l, err := o.lookup(ctx)
	if err != nil {
		return admin.ViewChange{}, err
	}
	before, err := l.columnNames(ctx)
	if err != nil {
		return admin.ViewChange{}, err
	}
	wanted := config.ViewColumns(l.settings.Plan)
	if err := l.store.ApplyViews(ctx, wanted, drop); err != nil {
		return admin.ViewChange{}, err
	}
	after, err := l.columnNames(ctx)
	if err != nil {
		return admin.ViewChange{}, err
	}
	var planned []string
	for _, c := range wanted {
		planned = append(planned, c.Name)
	}
	return admin.ViewChange{Added: without(after, before), Dropped: without(before, after), Kept: without(after, planned)}, nil
}

// without are the names that are not among the others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// columnNames are the columns that the view raw_normalized has for properties.
func (l lookup) columnNames(ctx context.Context) ([]string, error) {
	d, err := l.settings.Dialect(l.settings.Config.Warehouse.Kind)
	if err != nil {
		return nil, err
	}
	result, err := l.store.Query(ctx, "select name from "+d.Table("columns")+" order by ordinal", warehouse.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read the views' columns: %w", err)
	}
	var names []string
	for _, row := range result.Rows {
		names = append(names, cell(row[0]))
	}
	return names, nil
}
