package warehouse

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// NameOther is the name under which events are counted whose own name is beyond
// the first MaxNames of a source and day.
const NameOther = "(other)"

// NewRawRow makes the row of a record. Its Event is the event's own name: what
// is counted apart is decided when the batch is loaded.
func NewRawRow(r *event.Record) (RawRow, error) {
	row := RawRow{
		Receipt:   r.Receipt,
		EventID:   text(r.EventID),
		Timestamp: r.ReceivedAt.UTC(),
		Source:    text(r.Source),
		Duplicate: r.Duplicate,
		Event:     event.CountedName(r),
		Usable:    r.Usable(),
	}
	seen := r.Context
	if utf8.Valid(r.Data) {
		row.Data, row.Translated = string(r.Data), string(r.Translated)
	} else {
		row.Data = base64.StdEncoding.EncodeToString(r.Data)
		row.Usable = false
		seen.Encoding = "base64"
	}
	encoded, err := json.Marshal(seen)
	if err != nil {
		return RawRow{}, fmt.Errorf("encode context of %s: %w", r.Receipt, err)
	}
	row.Context = string(encoded)
	return row, nil
}

// text makes any string one that every warehouse takes: UTF-8.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// AddCheckpoint appends the rows of a checkpoint, the one with that sequence in
// the outcomes stream. The caller sets the stream's position.
func (b *Batch) AddCheckpoint(seq uint64, c *event.Checkpoint) {
	tracker, plan, release := text(c.Tracker), text(c.Plan), text(c.Release)
	for _, d := range c.Deliveries {
		d.EventID, d.Reason, d.Error = text(d.EventID), text(d.Reason), text(d.Error)
		d.Source, d.Event = text(d.Source), text(d.Event)
		b.Deliveries = append(b.Deliveries, DeliveryRow{
			Seq: seq, Tracker: tracker, Epoch: c.Epoch, Run: c.Run, Plan: plan, Release: release, Delivery: d,
		})
	}
	for _, h := range c.Filtered {
		h.Source, h.Event, h.Reason = text(h.Source), text(h.Event), text(h.Reason)
		b.Filtered = append(b.Filtered, FilteredRow{Seq: seq, Tracker: tracker, Run: c.Run, Plan: plan, FilteredCount: h})
	}
	for _, l := range c.Leaks {
		l.Source, l.Event, l.Property, l.Kind = text(l.Source), text(l.Event), text(l.Property), text(l.Kind)
		b.Leaks = append(b.Leaks, LeakRow{Seq: seq, Tracker: tracker, Run: c.Run, Leak: l})
	}
	for _, g := range c.Gaps {
		b.Gaps = append(b.Gaps, GapRow{Seq: seq, Tracker: tracker, Epoch: c.Epoch, Run: c.Run, Gap: g})
	}
	b.Lanes = append(b.Lanes, LaneRow{
		Seq: seq, Tracker: tracker, Epoch: c.Epoch, Run: c.Run, Start: c.Start, Watermark: c.Watermark, Closed: c.Removed,
		Plan: plan, Release: release, Time: c.Time.UTC(), Parked: c.Parked,
	})
}

// lastNeeded is the position up to which events must be loaded before the
// checkpoint: beyond its watermark and every event it speaks of.
func lastNeeded(c *event.Checkpoint) event.Position {
	far := c.Watermark
	for i := range c.Deliveries {
		if next := c.Deliveries[i].Position.Next(); far.Before(next) {
			far = next
		}
	}
	for _, p := range c.Parked {
		if next := p.Position.Next(); far.Before(next) {
			far = next
		}
	}
	return far
}
