package event

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Outcome says what became of one event at one tracker. The words are fixed;
// details are in a reason beside them.
type Outcome uint8

// The outcomes. Pending is not stored: it is measured, from a lane's cursor to
// the journal's end and its parked entries.
const (
	Pending   Outcome = iota // not decided yet
	Delivered                // the vendor accepted it
	Filtered                 // not sent because of the plan, consent or a filter
	Rejected                 // refused by the vendor or by our check of its rules; or the retry budget is spent
	Expired                  // got too old or left the journal before it could be sent, or its tracker was removed
	Uncertain                // sent, no answer, and the vendor has no dedup key
)

var outcomeNames = [...]string{"pending", "delivered", "filtered", "rejected", "expired", "uncertain"}

// String is the outcome's fixed word.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// ParseOutcome reads one of the fixed words.
func ParseOutcome(s string) (Outcome, error) {
	if i := slices.Index(outcomeNames[:], s); i >= 0 {
		return Outcome(i), nil
	}
	return 0, fmt.Errorf("unknown outcome %q", s)
}

// Delivery is the outcome of one event at one tracker: a row of the deliveries
// table, which adds the checkpoint's tracker, run, plan and release.
type Delivery struct {
	Position Position
	EventID  string
	// Source and Event are the record's source and the name under which its event
	// is counted (CountedName). Both are empty where the record could not be read
	// any more, and in a checkpoint of encoding version 1.
	Source   string
	Event    string
	Outcome  Outcome
	Reason   string // for people: "validated", "retries exhausted", "invalid: deviceId: required"
	Status   int    // the vendor's HTTP status, 0 for none
	Error    string // the vendor's answer, sanitised, at most 1,000 bytes
	Attempts int
	Time     time.Time     // when the outcome was decided
	Latency  time.Duration // of the last attempt
	// Day is the UTC day of the event's receipt, for partition pruning.
	Day time.Time
}

// FilteredCount counts events that a lane filtered up to its watermark.
type FilteredCount struct {
	Day    time.Time // UTC day of receipt
	Source string
	Event  string // the event's name
	Reason string // "event not in plan", "consent: analytics"
	Count  uint64
}

// Leak counts events from which the sanitizer removed personal data or a secret
// that would have been sent to this tracker. An event counts once for each
// property and kind.
type Leak struct {
	Day      time.Time // UTC day of receipt
	Source   string
	Event    string // the event's name
	Property string // "properties.note", "page.url"
	Kind     string // "email", "card"
	Count    uint64
}

// Parked is one event that waits for its own next attempt while the lane's cursor
// goes on.
type Parked struct {
	Position Position
	Due      time.Time // next attempt; zero: as soon as the vendor accepts anything
	// Since is the first attempt that failed because of this event: the retry
	// budget starts here. It is zero for an event that only waits for the end of
	// an outage, which has no budget.
	Since    time.Time
	Attempts int
}

// Gap is a range of the events stream, From up to and not including To, that was
// missing or damaged when a lane read it. The lane does not know how many events
// were in it. Those that are in the raw table expired: they left the journal
// before they could be sent.
type Gap struct {
	From, To Position
}

// Checkpoint is one packed message that a lane publishes to the journal's outcomes
// stream: what it decided since its last checkpoint, and its complete state
// afterwards. It is one durable publish, so that the last checkpoint of a lane is
// all it needs to continue after a crash.
type Checkpoint struct {
	Tracker string
	Epoch   string // of the events stream the positions belong to
	Run     uint32 // 0 the lane, n the n-th replay
	Plan    string // version of the plan in force
	Release string // of Sparrow
	Time    time.Time

	// Start is where the lane began: it does not send earlier events.
	Start Position
	// Watermark: every event from Start up to, not including, it has an
	// outcome in some checkpoint, or is parked.
	Watermark Position
	// Removed says that the tracker was removed: this is its last checkpoint.
	Removed bool

	Deliveries []Delivery
	Filtered   []FilteredCount
	Leaks      []Leak
	Parked     []Parked   // all that is parked now
	Intents    []Position // about to be sent without a dedup key: uncertain if no later checkpoint mentions them
	Gaps       []Gap      // what could not be read before the watermark
}

// The encoding of a checkpoint (version 2): a version byte, then fields in this
// order. "str" is a uvarint length and that many bytes, "pos" two uvarints,
// "time" a varint of microseconds since 1970 (0 for none), "list" a uvarint
// count and that many elements, "name" a uvarint: 0 for the empty string, n for
// the n-th of the names, so that each is written once:
//
//	version byte 2 | tracker str | epoch str | run uvarint | plan str | release str | time
//	start pos | watermark pos | closed byte
//	names list of:      str, in the order of their first use
//	deliveries list of: pos | eventId str | source name | event name | outcome byte | reason str
//	                    | status uvarint | error str | attempts uvarint | time | latency varint (µs)
//	                    | day varint (days since 1970)
//	filtered list of:   day varint (days since 1970) | source str | event str | reason str | count uvarint
//	leaks list of:      day varint (days since 1970) | source str | event str | property str | kind str | count uvarint
//	parked list of:     pos | due time | since time | attempts uvarint
//	intents list of:    pos
//	gaps list of:       from pos | to pos
//
// Version 1 has no names, and no source and event in its deliveries. It is still
// decoded.
const (
	checkpointVersion        = 2
	checkpointVersionNoNames = 1
)

const secondsPerDay = 86400

// AppendBinary appends the checkpoint's encoding to b. The error is always nil; it
// is there for encoding.BinaryAppender.
func (c *Checkpoint) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, checkpointVersion)
	b = appendString(b, c.Tracker)
	b = appendString(b, c.Epoch)
	b = binary.AppendUvarint(b, uint64(c.Run))
	b = appendString(b, c.Plan)
	b = appendString(b, c.Release)
	b = appendTime(b, c.Time)
	b = AppendPosition(b, c.Start)
	b = AppendPosition(b, c.Watermark)
	closed := byte(0)
	if c.Removed {
		closed = 1
	}
	b = append(b, closed)
	names := c.names()
	b = binary.AppendUvarint(b, uint64(len(names.list)))
	for _, name := range names.list {
		b = appendString(b, name)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Deliveries)))
	for i := range c.Deliveries {
		d := &c.Deliveries[i]
		b = AppendPosition(b, d.Position)
		b = appendString(b, d.EventID)
		b = binary.AppendUvarint(b, names.index[d.Source])
		b = binary.AppendUvarint(b, names.index[d.Event])
		b = append(b, byte(d.Outcome))
		b = appendString(b, d.Reason)
		b = binary.AppendUvarint(b, uint64(d.Status))
		b = appendString(b, d.Error)
		b = binary.AppendUvarint(b, uint64(d.Attempts))
		b = appendTime(b, d.Time)
		b = binary.AppendVarint(b, d.Latency.Microseconds())
		b = binary.AppendVarint(b, d.Day.Unix()/secondsPerDay)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Filtered)))
	for i := range c.Filtered {
		h := &c.Filtered[i]
		b = binary.AppendVarint(b, h.Day.Unix()/secondsPerDay)
		b = appendString(b, h.Source)
		b = appendString(b, h.Event)
		b = appendString(b, h.Reason)
		b = binary.AppendUvarint(b, h.Count)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Leaks)))
	for i := range c.Leaks {
		l := &c.Leaks[i]
		b = binary.AppendVarint(b, l.Day.Unix()/secondsPerDay)
		b = appendString(b, l.Source)
		b = appendString(b, l.Event)
		b = appendString(b, l.Property)
		b = appendString(b, l.Kind)
		b = binary.AppendUvarint(b, l.Count)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Parked)))
	for _, p := range c.Parked {
		b = AppendPosition(b, p.Position)
		b = appendTime(b, p.Due)
		b = appendTime(b, p.Since)
		b = binary.AppendUvarint(b, uint64(p.Attempts))
	}
	b = binary.AppendUvarint(b, uint64(len(c.Intents)))
	for _, p := range c.Intents {
		b = AppendPosition(b, p)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Gaps)))
	for _, g := range c.Gaps {
		b = AppendPosition(b, g.From)
		b = AppendPosition(b, g.To)
	}
	return b, nil
}

// nameTable has each name of a checkpoint's deliveries once.
type nameTable struct {
	list  []string
	index map[string]uint64 // of a name in list, from 1; the empty string is 0
}

func (c *Checkpoint) names() nameTable {
	t := nameTable{index: map[string]uint64{"": 0}}
	for i := range c.Deliveries {
		for _, name := range [...]string{c.Deliveries[i].Source, c.Deliveries[i].Event} {
			if _, found := t.index[name]; !found {
				t.list = append(t.list, name)
				t.index[name] = uint64(len(t.list))
			}
		}
	}
	return t
}

// UnmarshalBinary decodes what AppendBinary wrote, in this release or an earlier one.
func (c *Checkpoint) UnmarshalBinary(b []byte) error {
	d := NewBinaryReader(b)
	version := d.Byte()
	if d.err == nil && version != checkpointVersion && version != checkpointVersionNoNames {
		return fmt.Errorf("decode checkpoint: version %d: %w", version, ErrCorrupt)
	}
	*c = Checkpoint{
		Tracker: d.Text(), Epoch: d.Text(), Run: d.Uint32(), Plan: d.Text(), Release: d.Text(), Time: d.Time(),
		Start: d.Position(), Watermark: d.Position(), Removed: d.Byte() != 0,
	}
	name := func() string { return "" }
	if version != checkpointVersionNoNames {
		names := decodeList(&d, d.Text)
		name = func() string { return d.oneOf(names) }
	}
	c.Deliveries = decodeList(&d, func() Delivery {
		return Delivery{
			Position: d.Position(), EventID: d.Text(), Source: name(), Event: name(), Outcome: Outcome(d.Byte()), Reason: d.Text(),
			Status: int(d.Uint32()), Error: d.Text(), Attempts: int(d.Uint32()), Time: d.Time(),
			Latency: time.Duration(d.Varint()) * time.Microsecond, Day: d.day(),
		}
	})
	c.Filtered = decodeList(&d, func() FilteredCount {
		return FilteredCount{Day: d.day(), Source: d.Text(), Event: d.Text(), Reason: d.Text(), Count: d.Uvarint()}
	})
	c.Leaks = decodeList(&d, func() Leak {
		return Leak{Day: d.day(), Source: d.Text(), Event: d.Text(), Property: d.Text(), Kind: d.Text(), Count: d.Uvarint()}
	})
	c.Parked = decodeList(&d, func() Parked {
		return Parked{Position: d.Position(), Due: d.Time(), Since: d.Time(), Attempts: int(d.Uint32())}
	})
	c.Intents = decodeList(&d, d.Position)
	c.Gaps = decodeList(&d, func() Gap { return Gap{From: d.Position(), To: d.Position()} })
	if err := d.Finish(); err != nil {
		return fmt.Errorf("decode checkpoint: %w", err)
	}
	return nil
}

func (d *BinaryReader) day() time.Time {
	const limit = 1 << 32 // days; keeps the multiplication in range
	n := d.Varint()
	if n > limit || n < -limit {
		d.fail()
		return time.Time{}
	}
	return time.Unix(n*secondsPerDay, 0).UTC()
}

// oneOf reads the number of one of the names, from 1; 0 is the empty string.
func (d *BinaryReader) oneOf(names []string) string {
	n := d.Uvarint()
	if n > uint64(len(names)) {
		d.fail()
	}
	if n == 0 || d.err != nil {
		return ""
	}
	return names[n-1]
}

func decodeList[T any](d *BinaryReader, element func() T) []T {
	n := d.Count()
	if n == 0 {
		return nil
	}
	list := make([]T, 0, min(n, 4096))
	for range n {
		v := element()
		if d.err != nil {
			return nil
		}
		list = append(list, v)
	}
	return list
}
