package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// State says where a record is on its way to one tracker.
type State string

// The states beside the words of the outcomes: "delivered", "filtered" (here
// with a row of its own), "rejected", "expired", "uncertain".
const (
	StatePending     State = "pending"      // beyond the lane's watermark
	StateParked      State = "parked"       // waits for its next attempt
	StateCounted     State = "held"         // filtered and counted: the plan of the time says why
	StateDuplicate   State = "duplicate"    // sent to no vendor
	StateBeforeStart State = "before start" // from before the lane began
	StateAfterEnd    State = "after end"    // from after the tracker was removed
)

// Found is a record and what became of it.
type Found struct {
	Receipt   event.Receipt
	EventID   string
	Timestamp time.Time // of receipt
	Data      string    // as in raw
	Source    string
	Context   string // JSON
	Duplicate bool
	Event     string // the name as it is counted
	Lanes     []FoundLane
}

// FoundLane is what became of a record at one tracker.
type FoundLane struct {
	Tracker string
	State   State
	// Plan is the version in force at the lane's last checkpoint.
	Plan string
	// Parked is set in StateParked.
	Parked *event.Parked
	// Deliveries are all rows of the record and tracker, the last run first.
	Deliveries []FoundDelivery
}

// FoundDelivery is a row of deliveries.
type FoundDelivery struct {
	Run     uint32
	Plan    string
	Release string
	event.Delivery
}

// maxFound bounds the records of one id.
const maxFound = 20

// DayFinder is an adapter whose tables are partitioned by day, so that a question
// about one event costs less when its day is known.
type DayFinder interface {
	// DayOf returns the day in which a record was probably received: its row is of
	// that day or one beside it. The zero time says that the day is not known.
	DayOf(ctx context.Context, receipt event.Receipt) (time.Time, error)
}

// Find looks an event up by its eventId, or by its receipt, and says what became
// of it at each tracker. It returns no record when there is none; of an id that
// was sent more often than 20 times it returns the first ones.
//
// The rows are found by narrow columns first, and read whole from their own day
// then: where a question's price is the bytes it reads, data is most of them.
func Find(ctx context.Context, w Warehouse, id string) ([]Found, error) {
	places, err := locate(ctx, w, id)
	if err != nil {
		return nil, fmt.Errorf("find event: %w", err)
	}
	list := make([]Found, 0, len(places))
	for _, p := range places {
		f, err := findRecord(ctx, w, p)
		if err != nil {
			return nil, fmt.Errorf("find event: %w", err)
		}
		list = append(list, f...)
	}
	return list, nil
}

// place is where the row of a record is.
type place struct {
	receipt   event.Receipt
	timestamp time.Time // of receipt
}

// locate finds the rows of an id.
func locate(ctx context.Context, w Warehouse, id string) ([]place, error) {
	if receipt, err := event.ParseReceipt(id); err == nil {
		found, err := locateReceipt(ctx, w, receipt)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return places(w.Query(ctx, "select receipt, timestamp from raw where eventId = $1 order by seq, idx", Limits{Rows: maxFound}, id))
}

// locateReceipt looks on the day of the receipt and those beside it, where the
// warehouse knows it, and then on all days.
func locateReceipt(ctx context.Context, w Warehouse, r event.Receipt) ([]place, error) {
	const where = "select receipt, timestamp from raw where epoch = $1 and seq = $2 and idx = $3"
	if finder, ok := w.(DayFinder); ok {
		day, err := finder.DayOf(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, span := range [...][2]int{{0, 1}, {-1, 2}} {
			if day.IsZero() {
				break
			}
			found, err := places(w.Query(ctx, where+" and timestamp >= $4 and timestamp < $5", Limits{Rows: maxFound},
				r.Epoch, int64(r.Seq), int64(r.Index), day.AddDate(0, 0, span[0]), day.AddDate(0, 0, span[1])))
			if err != nil || len(found) > 0 {
				return found, err
			}
		}
	}
	return places(w.Query(ctx, where, Limits{Rows: maxFound}, r.Epoch, int64(r.Seq), int64(r.Index)))
}

func places(result *Result, err error) (list []place, _ error) {
	if err != nil {
		return nil, err
	}
	for _, row := range result.Rows {
		c := cells{row: row}
		receipt, err := event.ParseReceipt(c.text(0))
		if err != nil {
			return nil, err
		}
		list = append(list, place{receipt, c.time(1)})
	}
	return list, nil
}

// findRecord reads the row of a record, and what became of it.
func findRecord(ctx context.Context, w Warehouse, p place) ([]Found, error) {
	result, err := w.Query(ctx, `select eventId, data, source, context, duplicate, event from raw
		where epoch = $1 and seq = $2 and idx = $3 and timestamp = $4`, Limits{Rows: 1},
		p.receipt.Epoch, int64(p.receipt.Seq), int64(p.receipt.Index), p.timestamp)
	if err != nil {
		return nil, err
	}
	var list []Found
	for _, row := range result.Rows {
		c := cells{row: row}
		f := Found{
			Receipt: p.receipt, EventID: c.text(0), Timestamp: p.timestamp, Data: c.text(1), Source: c.text(2), Context: c.text(3),
			Duplicate: c.bool(4), Event: c.text(5),
		}
		if err := findLanes(ctx, w, &f); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// findLanes fills in what became of a record at each tracker.
func findLanes(ctx context.Context, w Warehouse, f *Found) error {
	args := []any{f.Receipt.Epoch, int64(f.Receipt.Seq), int64(f.Receipt.Index)}
	lanes, err := w.Query(ctx, `select l.tracker, l.startSeq, l.startIdx, l.markSeq, l.markIdx, l.closed, l.plan, p.due, p.since, p.attempts,
		g.tracker is not null as gone,
		l.epoch <> (select epoch from positions where stream = 'events' order by loaded desc limit 1) as replaced
		from lanes as l
		left join parked as p on p.run = 0 and p.tracker = l.tracker and p.epoch = l.epoch and p.seq = $2 and p.idx = $3
		left join (select distinct tracker, epoch from gaps where run = 0
			and (fromSeq < $2 or (fromSeq = $2 and fromIdx <= $3)) and (toSeq > $2 or (toSeq = $2 and toIdx > $3))
		) as g on g.tracker = l.tracker and g.epoch = l.epoch
		where l.run = 0 and l.epoch = $1 order by l.tracker, l.startSeq, l.startIdx`, Limits{}, args...)
	if err != nil {
		return err
	}
	rows, err := w.Query(ctx, `select tracker, run, plan, release, eventId, outcome, reason, status, error, attempts, timestamp, latencyMs
		from deliveries where day = cast($4 as date) and epoch = $1 and seq = $2 and idx = $3 order by run desc, timestamp desc`, Limits{}, append(args, Day(f.Timestamp))...)
	if err != nil {
		return err
	}
	deliveries := map[string][]FoundDelivery{}
	for _, row := range rows.Rows {
		c := cells{row: row}
		outcome, err := event.ParseOutcome(c.text(5))
		if err != nil {
			return err
		}
		deliveries[c.text(0)] = append(deliveries[c.text(0)], FoundDelivery{
			Run: uint32(c.int(1)), Plan: c.text(2), Release: c.text(3), Delivery: event.Delivery{
				Position: f.Receipt.Position, EventID: c.text(4), Outcome: outcome, Reason: c.text(6), Status: int(c.int(7)),
				Error: c.text(8), Attempts: int(c.int(9)), Time: c.time(10), Latency: time.Duration(c.int(11)) * time.Millisecond,
				Day: Day(f.Timestamp),
			},
		})
	}
	for i, row := range lanes.Rows {
		c := cells{row: row}
		if i+1 < len(lanes.Rows) { // of a lane's lives the one that the record is of, or comes after
			if next := (cells{row: lanes.Rows[i+1]}); next.text(0) == c.text(0) && !f.Receipt.Position.Before(next.position(1)) {
				continue
			}
		}
		if n := len(f.Lanes); n > 0 && f.Lanes[n-1].Tracker == c.text(0) {
			continue // an earlier life was it
		}
		lane := FoundLane{Tracker: c.text(0), Plan: c.text(6), Deliveries: deliveries[c.text(0)]}
		if row[7] != nil {
			lane.Parked = &event.Parked{Position: f.Receipt.Position, Due: c.time(7), Since: c.time(8), Attempts: int(c.int(9))}
		}
		lane.State = state(f, &lane, c.position(1), c.position(3), c.bool(5), c.bool(10))
		if replaced := c.bool(11); replaced && (lane.State == StatePending || lane.State == StateParked) {
			lane.State, lane.Parked = State(event.Expired.String()), nil // the journal it waited in is gone
		}
		f.Lanes = append(f.Lanes, lane)
	}
	return nil
}

// state says where a record is, given where the lane began and how far it is,
// and whether the record had left the journal when the lane came to it.
func state(f *Found, lane *FoundLane, start, watermark event.Position, closed, gone bool) State {
	at := f.Receipt.Position
	switch {
	case len(lane.Deliveries) > 0:
		return State(lane.Deliveries[0].Outcome.String())
	case f.Duplicate:
		return StateDuplicate
	case at.Before(start):
		return StateBeforeStart
	case lane.Parked != nil:
		return StateParked
	case gone:
		return State(event.Expired.String())
	case at.Before(watermark):
		return StateCounted
	case closed:
		return StateAfterEnd
	default:
		return StatePending
	}
}

// cells reads the values of a result's row; NULL is the zero value.
type cells struct{ row []any }

func (c cells) text(i int) string {
	s, _ := c.row[i].(string)
	return s
}

func (c cells) bool(i int) bool {
	b, _ := c.row[i].(bool)
	return b
}

func (c cells) int(i int) int64 {
	n, _ := c.row[i].(json.Number)
	v, _ := n.Int64()
	return v
}

func (c cells) time(i int) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, c.text(i))
	return t
}

func (c cells) position(i int) event.Position {
	return event.Position{Seq: uint64(c.int(i)), Index: uint32(c.int(i + 1))}
}
