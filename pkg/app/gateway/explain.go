package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/trace"
	"github.com/sparrow-edge/sparrow/pkg/trail"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

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

// cell is a text value of a result; NULL is empty.
func cell(v any) string {
	s, _ := v.(string)
	return s
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
		steps[i].Properties = tracer.Explain(record, steps[i].Tracker).Properties
		steps[i].Requests = requestsOf(b.settings.Trackers[at], tracer, record)
	}
	return nil
}

// requestsOf are the requests a tracker makes of one record; none when it is filtered
// or rejected.
func requestsOf(t config.Tracker, tracer *trace.Tracer, record *event.Record) []trail.Request {
	var e event.Event
	if tracer.Trace(record, t.Lane.Name, &e).Outcome != event.Pending {
		return nil
	}
	requests, _ := t.Vendor.Requests([]event.Event{e})
	return shown(t, requests)
}

// usePlan applies a plan: in the lanes from their next window on, in the views as
// soon as the warehouse answers.
func (g *Gateway) usePlan(p *plan.Plan) error {
	tracer, err := g.settings.Tracer(p, g.sanitizer)
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	g.tracer.Store(tracer)
	if g.loader != nil {
		g.loader.SetPlan(config.StoredPlan(p))
	}
	return nil
}
