package warehouse

import (
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Batch is what one transaction loads. Raw is in the order of positions, the
// rest in the order of Seq.
type Batch struct {
	// Events and Outcomes are the positions that the batch leads to. An empty Epoch
	// says that the batch holds nothing of that stream.
	Events, Outcomes StreamPosition

	Raw        []RawRow
	Deliveries []DeliveryRow
	Filtered   []FilteredRow
	Leaks      []LeakRow
	Gaps       []GapRow
	Lanes      []LaneRow
	Names      []NameRow // seen for the first time
}

// RawRow is a row of raw.
type RawRow struct {
	Receipt   event.Receipt
	EventID   string
	Timestamp time.Time // of receipt
	Data      string    // the client's bytes, or base64 of them
	Source    string
	Context   string // JSON
	Duplicate bool
	Event     string // the name as it is counted
	Usable    bool   // keeps the event contract
	// Translated is the event in Sparrow's own form where the data has another
	// format; "" where the data is that already.
	Translated string
	// Refused says why the data can never be stored: the row goes to
	// quarantine, and to raw without its data.
	Refused string
	// Typing is how much of its columns in the table events is made.
	Typing Typing
}

// DeliveryRow is a row of deliveries.
type DeliveryRow struct {
	Seq     uint64 // of the checkpoint in the outcomes stream
	Tracker string
	Epoch   string // of the event
	Run     uint32
	Plan    string
	Release string
	event.Delivery
}

// FilteredRow adds to a count of filtered.
type FilteredRow struct {
	Seq     uint64
	Tracker string
	Run     uint32
	Plan    string
	event.FilteredCount
}

// LeakRow adds to a count of leaks.
type LeakRow struct {
	Seq     uint64
	Tracker string
	Run     uint32
	event.Leak
}

// GapRow is a range of the events stream that a lane could not read.
type GapRow struct {
	Seq            uint64
	Tracker, Epoch string
	Run            uint32
	event.Gap
}

// LaneRow is the state of a lane, or of a replay, after a checkpoint; the row with
// the highest Seq is the present state.
type LaneRow struct {
	Seq              uint64
	Tracker, Epoch   string
	Run              uint32
	Start, Watermark event.Position
	Closed           bool
	Plan, Release    string
	Time             time.Time
	Parked           []event.Parked // all that is parked
}

// NameRow is an event name that is counted apart for a source and day.
type NameRow struct {
	Day           time.Time
	Source, Event string
}

// Empty reports whether loading the batch would change nothing, not even a position.
func (b *Batch) Empty() bool { return b.Events.Epoch == "" && b.Outcomes.Epoch == "" }

// receipts are those of the first rows, for an incident.
func (b *Batch) receipts() []string {
	var list []string
	for i := range b.Raw[:min(len(b.Raw), 10)] {
		list = append(list, b.Raw[i].Receipt.String())
	}
	return list
}

// After returns what of the batch is not loaded yet, given the stored
// positions: all of it, in the ordinary case. The slices are shared with b.
func (b *Batch) After(stored []StreamPosition) *Batch {
	rest := *b
	for _, p := range stored {
		switch {
		case p.Stream == EventsStream && p.Epoch == b.Events.Epoch:
			rest.afterEvents(p.Next)
		case p.Stream == OutcomesStream && p.Epoch == b.Outcomes.Epoch:
			rest.afterOutcomes(p.Next.Seq)
		}
	}
	return &rest
}

func (b *Batch) afterEvents(next event.Position) {
	if !next.Before(b.Events.Next) {
		b.Events, b.Raw, b.Names = StreamPosition{}, nil, nil
		return
	}
	for len(b.Raw) > 0 && b.Raw[0].Receipt.Before(next) {
		b.Raw = b.Raw[1:]
	}
}

func (b *Batch) afterOutcomes(next uint64) {
	if next >= b.Outcomes.Next.Seq {
		b.Outcomes, b.Deliveries, b.Filtered, b.Leaks, b.Gaps, b.Lanes = StreamPosition{}, nil, nil, nil, nil, nil
		return
	}
	for len(b.Deliveries) > 0 && b.Deliveries[0].Seq < next {
		b.Deliveries = b.Deliveries[1:]
	}
	for len(b.Filtered) > 0 && b.Filtered[0].Seq < next {
		b.Filtered = b.Filtered[1:]
	}
	for len(b.Leaks) > 0 && b.Leaks[0].Seq < next {
		b.Leaks = b.Leaks[1:]
	}
	for len(b.Gaps) > 0 && b.Gaps[0].Seq < next {
		b.Gaps = b.Gaps[1:]
	}
	for len(b.Lanes) > 0 && b.Lanes[0].Seq < next {
		b.Lanes = b.Lanes[1:]
	}
}

// Day is the UTC day of t, at midnight.
func Day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
