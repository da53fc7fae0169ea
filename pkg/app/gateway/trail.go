package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/segment"
	"github.com/sparrow-edge/sparrow/pkg/trail"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Event implements admin.Questions.
func (b lookup) Event(ctx context.Context, id string, withRequest bool) ([]trail.Trail, error) {
	found, err := warehouse.Find(ctx, b.store, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, admin.NotFound(fmt.Errorf("no event has the id or receipt %q; one that was just taken is here within about a second", id))
	}
	var trails []trail.Trail
	for i := range found {
		t, err := b.trail(ctx, &found[i], withRequest)
		if err != nil {
			return nil, fmt.Errorf("look up event %s: %w", found[i].Receipt, err)
		}
		trails = append(trails, t)
	}
	return trails, nil
}

func (b lookup) trail(ctx context.Context, f *warehouse.Found, withRequest bool) (trail.Trail, error) {
	t := trail.Trail{
		Receipt: f.Receipt.String(), EventID: f.EventID, Source: f.Source, Event: f.Event, ReceivedAt: f.Timestamp,
		Duplicate: f.Duplicate, Data: f.Data, Context: json.RawMessage(f.Context),
	}
	record, err := recordOf(f)
	if err != nil {
		return t, err
	}
	for i := range f.Lanes {
		step, ok, err := b.step(ctx, f, &f.Lanes[i], &record)
		if err != nil {
			return t, err
		}
		if ok {
			t.Steps = append(t.Steps, step)
		}
	}
	if withRequest {
		return t, b.explain(&record, t.Steps)
	}
	return t, nil
}

// recordOf rebuilds the record from its row of raw.
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

// step is what became of a record at one tracker; ok is false when the
// tracker never had it: a duplicate, or the tracker was added later or removed before.
func (b lookup) step(ctx context.Context, f *warehouse.Found, l *warehouse.FoundLane, record *event.Record) (step trail.Step, ok bool, err error) {
	step = trail.Step{Tracker: l.Tracker, Outcome: string(l.State)}
	if len(l.Deliveries) > 0 {
		return stepOf(l.Tracker, &l.Deliveries[0]), true, nil
	}
	switch l.State {
	case warehouse.StateDuplicate, warehouse.StateBeforeStart, warehouse.StateAfterEnd:
		return step, false, nil
	case warehouse.StateParked:
		step.Outcome, step.Reason, step.Attempts = event.Pending.String(), "waits for its next attempt", l.Parked.Attempts
		if !l.Parked.Due.IsZero() {
			step.Reason += " at " + l.Parked.Due.UTC().Format(time.RFC3339)
		}
	case warehouse.StatePending:
		step.Reason = "the lane has not come to it yet"
	case warehouse.StateCounted:
		step.Outcome = event.Filtered.String()
		step.Reason, step.Plan, err = b.whyFiltered(ctx, f, l.Tracker, record)
	default:
		step.Reason = "left the journal before the lane came to it"
	}
	return step, true, err
}

func stepOf(tracker string, d *warehouse.FoundDelivery) trail.Step {
	return trail.Step{
		Tracker: tracker, Outcome: d.Outcome.String(), Reason: d.Reason, Status: d.Status, Error: d.Error, Attempts: d.Attempts,
		Time: d.Time, Latency: float64(d.Latency.Milliseconds()), Run: int(d.Run), Plan: d.Plan,
	}
}

// whyFiltered works out again why a record was not sent to a tracker: filtered
// events are counted, not stored row by row. It tries the plans under which events
// of this name were counted that day, until one gives a reason that was counted.
func (b lookup) whyFiltered(ctx context.Context, f *warehouse.Found, tracker string, record *event.Record) (reason, version string, err error) {
	result, err := b.store.Query(ctx, `
		select distinct f.reason, f.plan, p.text from filtered as f left join plans as p on p.version = f.plan
		where f.day = cast($1 as date) and f.source = $2 and f.event = $3 and f.tracker = $4 and f.run = 0 order by f.plan`,
		warehouse.Limits{}, warehouse.Day(f.Timestamp).Format(time.DateOnly), f.Source, f.Event, tracker)
	if err != nil {
		return "", "", fmt.Errorf("read what was counted: %w", err)
	}
	for _, row := range result.Rows {
		counted, version, text := cell(row[0]), cell(row[1]), cell(row[2])
		if decided, err := b.decide(text, tracker, record); err == nil && decided.Outcome == event.Filtered && decided.Reason == counted {
			return counted, version, nil
		}
	}
	if len(result.Rows) == 1 { // the only reason there is
		return cell(result.Rows[0][0]), cell(result.Rows[0][1]), nil
	}
	return "held back; the plans of that day do not say why", "", nil
}

// decide applies the text of a plan to a record. It fails for a plan of another
// release that this one cannot read, or whose text was not kept.
func (b lookup) decide(text, tracker string, record *event.Record) (event.Decision, error) {
	p, err := plan.Parse("plan", []byte(text))
	if err != nil {
		return event.Decision{}, err
	}
	tracer, err := b.settings.Tracer(p, b.sanitizer)
	if err != nil {
		return event.Decision{}, err
	}
	var into event.Event
	return tracer.Trace(record, tracker, &into), nil
}

// explain adds to each step what today's plan leaves of the record, and the exact
// requests that the tracker makes of it.
func (b lookup) explain(record *event.Record, steps []trail.Step) error {
	tracer, err := b.settings.Tracer(b.settings.Plan, b.sanitizer)
	if err != nil {
		return err
	}
	for i := range steps {
		at := slices.IndexFunc(b.settings.Trackers, func(t config.Tracker) bool { return t.Lane.Name == steps[i].Tracker })
		if at < 0 {
			continue // no longer configured
		}
		explained := tracer.Explain(record, steps[i].Tracker)
		steps[i].Properties = explained.Properties
		if explained.Decision.Outcome == event.Pending {
			t := b.settings.Trackers[at]
			requests, _ := t.Vendor.Requests([]event.Event{explained.Event})
			steps[i].Requests = shown(t, requests)
		}
	}
	return nil
}

// cell is a text value of a result; NULL is empty.
func cell(v any) string {
	s, _ := v.(string)
	return s
}
