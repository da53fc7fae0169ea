package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// maxWays bounds how many records of one event id are shown.
const maxWays = 20

// Event implements admin.Accountant.
func (b books) Event(ctx context.Context, id string, withRequest bool) ([]admin.Way, error) {
	result, err := b.store.Query(ctx, `
		select receipt, eventId, "timestamp" as receivedAt, data, source, context, duplicate, day, epoch, seq, idx, event, usable
		from raw where eventId = $1 or receipt = $1 order by epoch, seq, idx`, warehouse.Limits{Rows: maxWays}, id)
	if err != nil {
		return nil, fmt.Errorf("look up event: %w", err)
	}
	if len(result.Rows) == 0 {
		return nil, admin.NotFound(fmt.Errorf("no event has the id or receipt %q; one that was just taken is here within about a second", id))
	}
	var ways []admin.Way
	for _, raw := range rowsOf(result) {
		way, err := b.way(ctx, raw, withRequest)
		if err != nil {
			return nil, fmt.Errorf("look up event: %w", err)
		}
		ways = append(ways, way)
	}
	return ways, nil
}

func (b books) way(ctx context.Context, raw row, withRequest bool) (admin.Way, error) {
	way := admin.Way{
		Receipt: raw.text("receipt"), EventID: raw.text("eventId"), Source: raw.text("source"), Event: raw.text("event"),
		ReceivedAt: raw.time("receivedAt"), Duplicate: raw.flag("duplicate"), Data: raw.text("data"),
		Context: json.RawMessage(raw.text("context")),
	}
	record, err := recordOf(raw)
	if err != nil || way.Duplicate {
		return way, err
	}
	if way.Hops, err = b.hops(ctx, raw, &record); err != nil {
		return way, err
	}
	if withRequest {
		return way, b.explain(&record, way.Hops)
	}
	return way, nil
}

// recordOf makes the record again that a row of raw was made from.
func recordOf(raw row) (event.Record, error) {
	record := event.Record{ReceivedAt: raw.time("receivedAt"), Source: raw.text("source"), EventID: raw.text("eventId"), Duplicate: raw.flag("duplicate")}
	receipt, err := event.ParseReceipt(raw.text("receipt"))
	if err != nil {
		return record, err
	}
	record.Receipt = receipt
	if err := json.Unmarshal([]byte(raw.text("context")), &record.Context); err != nil {
		return record, fmt.Errorf("context of %s: %w", receipt, err)
	}
	record.Data = []byte(raw.text("data"))
	if record.Context.Encoding == "base64" {
		if record.Data, err = base64.StdEncoding.DecodeString(raw.text("data")); err != nil {
			return record, fmt.Errorf("data of %s: %w", receipt, err)
		}
	}
	return record, nil
}

// hops says what became of a record at each tracker whose lane it concerns.
func (b books) hops(ctx context.Context, raw row, record *event.Record) ([]admin.Hop, error) {
	lanes, err := b.store.Query(ctx, `
		select l.tracker, l.startSeq, l.startIdx, l.markSeq, l.markIdx, l.closed, p.due, p.attempts, p.seq is not null as parked
		from lanes as l left join parked as p on p.tracker = l.tracker and p.run = 0 and p.epoch = l.epoch and p.seq = $2 and p.idx = $3
		where l.run = 0 and l.epoch = $1 order by l.tracker`, warehouse.Limits{},
		record.Receipt.Epoch, record.Receipt.Seq, record.Receipt.Index)
	if err != nil {
		return nil, err
	}
	decided, err := b.decided(ctx, raw)
	if err != nil {
		return nil, err
	}
	var hops []admin.Hop
	for _, l := range rowsOf(lanes) {
		hop, ok, err := b.hop(ctx, l, decided, raw, record)
		if err != nil {
			return nil, err
		}
		if ok {
			hops = append(hops, hop)
		}
	}
	return hops, nil
}

// decided are the stored outcomes of a record, by tracker: those of the highest run.
func (b books) decided(ctx context.Context, raw row) (map[string]admin.Hop, error) {
	result, err := b.store.Query(ctx, `
		select tracker, outcome, reason, status, error, attempts, "timestamp" as decidedAt, latencyMs, run, plan
		from deliveries where receipt = $1 and day = cast($2 as date) order by run`, warehouse.Limits{}, raw.text("receipt"), raw.text("day"))
	if err != nil {
		return nil, err
	}
	hops := map[string]admin.Hop{}
	for _, d := range rowsOf(result) {
		hops[d.text("tracker")] = admin.Hop{
			Tracker: d.text("tracker"), Outcome: d.text("outcome"), Reason: d.text("reason"), Status: int(d.number("status")),
			Error: d.text("error"), Attempts: int(d.number("attempts")), Time: d.time("decidedAt"),
			Latency: float64(d.number("latencyMs")), Run: int(d.number("run")), Plan: d.text("plan"),
		}
	}
	return hops, nil
}

// hop is the outcome at one lane; ok is false when the record is not its: the
// tracker was added later, or removed before.
func (b books) hop(ctx context.Context, l row, decided map[string]admin.Hop, raw row, record *event.Record) (hop admin.Hop, ok bool, err error) {
	name, at := l.text("tracker"), record.Receipt.Position
	start := event.Position{Seq: l.number("startSeq"), Index: uint32(l.number("startIdx"))}
	mark := event.Position{Seq: l.number("markSeq"), Index: uint32(l.number("markIdx"))}
	if hop, ok := decided[name]; ok {
		return hop, true, nil
	}
	pending := admin.Hop{Tracker: name, Outcome: event.Pending.String()}
	switch {
	case at.Before(start), l.flag("closed") && !at.Before(mark):
		return admin.Hop{}, false, nil
	case l.flag("parked"):
		pending.Reason, pending.Attempts, pending.Time = "waits for its next attempt", int(l.number("attempts")), l.time("due")
		return pending, true, nil
	case !at.Before(mark):
		pending.Reason = "the lane has not come to it yet"
		return pending, true, nil
	}
	reason, version, err := b.heldBack(ctx, name, raw, record)
	return admin.Hop{Tracker: name, Outcome: event.Filtered.String(), Reason: reason, Plan: version}, true, err
}
