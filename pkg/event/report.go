package event

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Outcome says what became of one event at one tracker. The words are fixed;
// details are in a reason beside them.
type Outcome uint8

// The outcomes. Pending is not stored: it is measured, from a lane's cursor to
// the journal's end and its parked entries.
const (
	Pending   Outcome = iota // not decided yet
	Delivered                // the vendor took it
	Filtered                 // held back by plan, consent or a filter
	Rejected                 // refused by the vendor or by our check of its rules, or retries exhausted
	Expired                  // left the journal before it could be sent
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
	for i, name := range outcomeNames {
		if s == name {
			return Outcome(i), nil
		}
	}
	return 0, fmt.Errorf("unknown outcome %q", s)
}

// Delivery is the outcome of one event at one tracker: a row of the deliveries
// table, which adds the report's tracker, run, plan and release.
type Delivery struct {
	Position Position
	EventID  string
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

// Held counts events that a lane filtered in the records up to its watermark.
type FilteredCount struct {
	Day    time.Time // UTC day of receipt
	Source string
	Event  string // the event's name
	Reason string // "event not in plan", "consent: analytics"
	Count  uint64
}

// Leak counts events in which the sanitizer removed personal data or a secret:
// what would have left for this tracker. An event counts once for each
// property and kind.
type Leak struct {
	Day      time.Time // UTC day of receipt
	Source   string
	Event    string // the event's name
	Property string // "properties.note", "page.url"
	Kind     string // "email", "card"
	Count    uint64
}

// Parked is a single event that waits for its next attempt while the lane's
// cursor goes on.
type Parked struct {
	Position Position
	Due      time.Time // next attempt; zero: as soon as the vendor takes anything
	// Since is the first attempt that failed because of this event: the retry
	// budget counts from here. It is zero for an event that only waits for an
	// outage to pass, on which no budget runs.
	Since    time.Time
	Attempts int
}

// Gap is a range of the events stream, From up to and not including To, that
// was missing or damaged when a lane came to read it. How many events it held
// is unknown to the lane: those that the raw table knows left the journal
// before they could be sent.
type Gap struct {
	From, To Position
}

// Report is one packed message of a lane in the journal's outcomes stream: what
// it decided since its last report, and its complete state afterwards. One
// durable publish carries all of it, so the last report of a lane is all it
// needs to go on after a crash.
type Checkpoint struct {
	Tracker string
	Epoch   string // of the events stream the positions belong to
	Run     uint32 // 0 the lane, n the n-th replay
	Plan    string // version of the plan in force
	Release string // of Sparrow
	Time    time.Time

	// Start is where the lane began: earlier events are not this tracker's.
	Start Position
	// Watermark: every event from Start up to, not including, it has an
	// outcome in some report, or is parked.
	Watermark Position
	// Closed says that the tracker was removed and will report no more.
	Closed bool

	Deliveries []Delivery
	Filtered   []FilteredCount
	Leaks      []Leak
	Parked     []Parked   // all that is parked now
	Intents    []Position // about to be sent without a dedup key: uncertain if no later report mentions them
	Gaps       []Gap      // what could not be read before the watermark
}

// The encoding of a report (version 1): a version byte, then fields in this
// order. "str" is a uvarint length and that many bytes, "pos" two uvarints,
// "time" a varint of microseconds since 1970 (0 for none), "list" a uvarint
// count and that many elements:
//
//	version byte 1 | tracker str | epoch str | run uvarint | plan str | release str | time
//	start pos | watermark pos | closed byte
//	deliveries list of: pos | eventId str | outcome byte | reason str | status uvarint | error str
//	                    | attempts uvarint | time | latency varint (µs) | day varint (days since 1970)
//	held list of:       day varint (days since 1970) | source str | event str | reason str | count uvarint
//	leaks list of:      day varint (days since 1970) | source str | event str | property str | kind str | count uvarint
//	parked list of:     pos | due time | since time | attempts uvarint
//	intents list of:    pos
//	gaps list of:       from pos | to pos
const checkpointVersion = 1

const secondsPerDay = 86400

// AppendBinary appends the report's encoding to b. The error is always nil; it
// is there for encoding.BinaryAppender.
func (r *Checkpoint) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, checkpointVersion)
	b = appendString(b, r.Tracker)
	b = appendString(b, r.Epoch)
	b = binary.AppendUvarint(b, uint64(r.Run))
	b = appendString(b, r.Plan)
	b = appendString(b, r.Release)
	b = appendTime(b, r.Time)
	b = appendPosition(b, r.Start)
	b = appendPosition(b, r.Watermark)
	closed := byte(0)
	if r.Closed {
		closed = 1
	}
	b = append(b, closed)
	b = binary.AppendUvarint(b, uint64(len(r.Deliveries)))
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		b = appendPosition(b, d.Position)
		b = appendString(b, d.EventID)
		b = append(b, byte(d.Outcome))
		b = appendString(b, d.Reason)
		b = binary.AppendUvarint(b, uint64(d.Status))
		b = appendString(b, d.Error)
		b = binary.AppendUvarint(b, uint64(d.Attempts))
		b = appendTime(b, d.Time)
		b = binary.AppendVarint(b, d.Latency.Microseconds())
		b = binary.AppendVarint(b, d.Day.Unix()/secondsPerDay)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Filtered)))
	for i := range r.Filtered {
		h := &r.Filtered[i]
		b = binary.AppendVarint(b, h.Day.Unix()/secondsPerDay)
		b = appendString(b, h.Source)
		b = appendString(b, h.Event)
		b = appendString(b, h.Reason)
		b = binary.AppendUvarint(b, h.Count)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Leaks)))
	for i := range r.Leaks {
		l := &r.Leaks[i]
		b = binary.AppendVarint(b, l.Day.Unix()/secondsPerDay)
		b = appendString(b, l.Source)
		b = appendString(b, l.Event)
		b = appendString(b, l.Property)
		b = appendString(b, l.Kind)
		b = binary.AppendUvarint(b, l.Count)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Parked)))
	for _, p := range r.Parked {
		b = appendPosition(b, p.Position)
		b = appendTime(b, p.Due)
		b = appendTime(b, p.Since)
		b = binary.AppendUvarint(b, uint64(p.Attempts))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Intents)))
	for _, p := range r.Intents {
		b = appendPosition(b, p)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Gaps)))
	for _, g := range r.Gaps {
		b = appendPosition(b, g.From)
		b = appendPosition(b, g.To)
	}
	return b, nil
}

// UnmarshalBinary decodes what AppendBinary wrote.
func (r *Checkpoint) UnmarshalBinary(b []byte) error {
	d := decoder{rest: b}
	if v := d.byte(); d.err == nil && v != checkpointVersion {
		return fmt.Errorf("decode report: version %d: %w", v, ErrCorrupt)
	}
	*r = Checkpoint{
		Tracker: d.string(), Epoch: d.string(), Run: d.uint32(), Plan: d.string(), Release: d.string(), Time: d.time(),
		Start: d.position(), Watermark: d.position(), Closed: d.byte() != 0,
	}
	r.Deliveries = decodeList(&d, func() Delivery {
		return Delivery{
			Position: d.position(), EventID: d.string(), Outcome: Outcome(d.byte()), Reason: d.string(),
			Status: int(d.uint32()), Error: d.string(), Attempts: int(d.uint32()), Time: d.time(),
			Latency: time.Duration(d.varint()) * time.Microsecond, Day: d.day(),
		}
	})
	r.Filtered = decodeList(&d, func() FilteredCount {
		return FilteredCount{Day: d.day(), Source: d.string(), Event: d.string(), Reason: d.string(), Count: d.uvarint()}
	})
	r.Leaks = decodeList(&d, func() Leak {
		return Leak{Day: d.day(), Source: d.string(), Event: d.string(), Property: d.string(), Kind: d.string(), Count: d.uvarint()}
	})
	r.Parked = decodeList(&d, func() Parked {
		return Parked{Position: d.position(), Due: d.time(), Since: d.time(), Attempts: int(d.uint32())}
	})
	r.Intents = decodeList(&d, d.position)
	r.Gaps = decodeList(&d, func() Gap { return Gap{From: d.position(), To: d.position()} })
	if err := d.finish(); err != nil {
		return fmt.Errorf("decode report: %w", err)
	}
	return nil
}

func (d *decoder) day() time.Time {
	const limit = 1 << 32 // days; keeps the multiplication in range
	n := d.varint()
	if n > limit || n < -limit {
		d.fail()
		return time.Time{}
	}
	return time.Unix(n*secondsPerDay, 0).UTC()
}

func decodeList[T any](d *decoder, element func() T) []T {
	n := d.count()
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
