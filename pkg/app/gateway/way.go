package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/segment"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Event implements admin.Accountant.
func (b books) Event(ctx context.Context, id string, withRequest bool) ([]admin.Trail, error) {
	found, err := warehouse.Find(ctx, b.store, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, admin.NotFound(fmt.Errorf("no event has the id or receipt %q; one that was just taken is here within about a second", id))
	}
	var ways []admin.Trail
	for i := range found {
		way, err := b.way(ctx, &found[i], withRequest)
		if err != nil {
			return nil, fmt.Errorf("look up event %s: %w", found[i].Receipt, err)
		}
		ways = append(ways, way)
	}
	return ways, nil
}

func (b books) way(ctx context.Context, f *warehouse.Found, withRequest bool) (admin.Trail, error) {
	way := admin.Trail{
		Receipt: f.Receipt.String(), EventID: f.EventID, Source: f.Source, Event: f.Event, ReceivedAt: f.Timestamp,
		Duplicate: f.Duplicate, Data: f.Data, Context: json.RawMessage(f.Context),
	}
	record, err := recordOf(f)
	if err != nil {
		return way, err
	}
	for i := range f.Lanes {
		hop, ok, err := b.hop(ctx, f, &f.Lanes[i], &record)
		if err != nil {
			return way, err
		}
		if ok {
			way.Steps = append(way.Steps, hop)
		}
	}
	if withRequest {
		return way, b.explain(&record, way.Steps)
	}
	return way, nil
}

// recordOf makes the record again that a row of raw was made from.
func recordOf(f *warehouse.Found) (event.Record, error) {
	record := event.Record{Receipt: f.Receipt, ReceivedAt: f.Timestamp, Source: f.Source, EventID: f.EventID, Duplicate: f.Duplicate, Data: []byte(f.Data)}
	if err := json.Unmarshal([]byte(f.Context), &record.Context); err != nil {
		return record, fmt.Errorf("read context: %w", err)
	}
	if record.Context.Encoding == "base64" {
		data, err := base64.StdEncoding.DecodeString(f.Data)
		if err != nil {
			return record, fmt.Errorf("read data: %w", err)
		}
		record.Data = data
	}
	segment.Translate(&record)
	return record, nil
}

// hop is what became of a record at one tracker; ok is false when it is none of
// the tracker's: a duplicate, or the tracker was added later or removed before.
func (b books) hop(ctx context.Context, f *warehouse.Found, l *warehouse.FoundLane, record *event.Record) (hop admin.TrailStep, ok bool, err error) {
	hop = admin.TrailStep{Tracker: l.Tracker, Outcome: string(l.State)}
	if len(l.Deliveries) > 0 {
		return hopOf(l.Tracker, &l.Deliveries[0]), true, nil
	}
	switch l.State {
	case warehouse.StateDuplicate, warehouse.StateBeforeStart, warehouse.StateAfterEnd:
		return hop, false, nil
	case warehouse.StateParked:
		hop.Outcome, hop.Reason, hop.Attempts = event.Pending.String(), "waits for its next attempt", l.Parked.Attempts
		if !l.Parked.Due.IsZero() {
			hop.Reason += " at " + l.Parked.Due.UTC().Format(time.RFC3339)
		}
	case warehouse.StatePending:
		hop.Reason = "the lane has not come to it yet"
	case warehouse.StateCounted:
		hop.Outcome = event.Filtered.String()
		hop.Reason, hop.Plan, err = b.heldBack(ctx, f, l.Tracker, record)
	default:
		hop.Reason = "left the journal before the lane came to it"
	}
	return hop, true, err
}

func hopOf(tracker string, d *warehouse.FoundDelivery) admin.TrailStep {
	return admin.TrailStep{
		Tracker: tracker, Outcome: d.Outcome.String(), Reason: d.Reason, Status: d.Status, Error: d.Error, Attempts: d.Attempts,
		Time: d.Time, Latency: float64(d.Latency.Milliseconds()), Run: int(d.Run), Plan: d.Plan,
	}
}
