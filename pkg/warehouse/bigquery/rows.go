package bigquery

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// BigQuery accepts no row whose partition is further from today than these.
const (
	furthestBack  = 5 * 365 * 24 * time.Hour
	furthestAhead = 180 * 24 * time.Hour
)

// rowEncoder encodes the rows of one batch.
type rowEncoder struct {
	epoch string    // of the outcomes stream
	at    time.Time // of loading
}

// raw encodes a row of raw. A refused row has no data, and a time that BigQuery
// accepts.
func (rowEncoder) raw(r *warehouse.RawRow, _ bool) []byte {
	keep := r.Refused == ""
	return newEncoder(len(r.Data)+len(r.Context)+len(r.Translated)+256).
		text(r.EventID).instant(storable(r.Timestamp, !keep)).textIf(keep, r.Data).
		text(r.Receipt.String(), r.Source, r.Context).flag(r.Duplicate).date(r.Timestamp).
		text(r.Receipt.Epoch).number(int64(r.Receipt.Seq), int64(r.Receipt.Index)).text(r.Event).flag(r.Usable && keep).
		textIf(keep && r.Translated != "", r.Translated).row
}

func (rowEncoder) name(n *warehouse.NameRow, _ bool) []byte {
	return newEncoder(64).date(storable(n.Day, true)).text(n.Source, n.Event).row
}

// storable is the time. For a refused row whose time is out of BigQuery's range it
// is now.
func storable(t time.Time, refused bool) time.Time {
	if age := time.Since(t); refused && (age > furthestBack || age < -furthestAhead) {
		return time.Now()
	}
	return t
}

func (e rowEncoder) quarantine(r *warehouse.RawRow, _ bool) []byte {
	return newEncoder(256).text(r.Receipt.String(), r.EventID).instant(storable(r.Timestamp, true)).
		text(r.Source, r.Refused).number(int64(len(r.Data))).instant(e.at).row
}

// delivery encodes a delivery. A stripped one has no texts that come from
// outside, and a time that BigQuery accepts.
func (e rowEncoder) delivery(d *warehouse.DeliveryRow, stripped bool) []byte {
	receipt := event.Receipt{Epoch: d.Epoch, Position: d.Position}
	reason, answer := d.Reason, d.Error
	if stripped {
		reason, answer = "row refused by the warehouse", ""
	}
	return newEncoder(512).text(receipt.String(), d.EventID, d.Tracker, d.Outcome.String(), reason).numberIf(d.Status != 0, int64(d.Status)).
		text(answer).number(int64(d.Attempts)).instant(storable(d.Time, stripped)).number(d.Latency.Milliseconds(), int64(d.Run)).
		text(d.Plan, d.Release).date(storable(d.Day, stripped)).text(d.Epoch).number(int64(d.Position.Seq), int64(d.Position.Index)).
		text(e.epoch).number(int64(d.Seq)).textIf(d.Source != "", d.Source).textIf(d.Source != "", d.Event).row
}

func (e rowEncoder) filtered(f *warehouse.FilteredRow, stripped bool) []byte {
	return newEncoder(256).date(storable(f.Day, stripped)).text(f.Source, f.Event, f.Tracker, f.Reason, f.Plan).
		number(count(f.Count), int64(f.Run)).text(e.epoch).number(int64(f.Seq)).row
}

func (e rowEncoder) leak(l *warehouse.LeakRow, stripped bool) []byte {
	return newEncoder(256).date(storable(l.Day, stripped)).text(l.Source, l.Event, l.Property, l.Kind, l.Tracker).
		number(count(l.Count), int64(l.Run)).text(e.epoch).number(int64(l.Seq)).row
}

func (e rowEncoder) gap(g *warehouse.GapRow, _ bool) []byte {
	return newEncoder(128).text(g.Tracker, g.Epoch).
		number(int64(g.Run), int64(g.From.Seq), int64(g.From.Index), int64(g.To.Seq), int64(g.To.Index)).
		text(e.epoch).number(int64(g.Seq)).instant(e.at).row
}

// parked is a parked event within a row of lanes_log. Its times are RFC 3339.
type parked struct {
	Receipt  string `json:"receipt"`
	Seq      uint64 `json:"seq"`
	Index    uint32 `json:"idx"`
	Due      string `json:"due"`
	Since    string `json:"since"`
	Attempts int    `json:"attempts"`
}

func (e rowEncoder) lane(l *warehouse.LaneRow, _ bool) []byte {
	list := make([]parked, len(l.Parked))
	for i, p := range l.Parked {
		list[i] = parked{
			Receipt: event.Receipt{Epoch: l.Epoch, Position: p.Position}.String(), Seq: p.Position.Seq, Index: p.Position.Index,
			Due: stamp(p.Due), Since: stamp(p.Since), Attempts: p.Attempts,
		}
	}
	encoded, _ := json.Marshal(list) // it cannot fail: strings and numbers only
	return newEncoder(len(encoded)+256).text(l.Tracker, l.Epoch).
		number(int64(l.Run), int64(l.Start.Seq), int64(l.Start.Index), int64(l.Watermark.Seq), int64(l.Watermark.Index)).
		flag(l.Closed).text(l.Plan, l.Release).instant(storable(l.Time, true)).text(string(encoded), e.epoch).number(int64(l.Seq)).row
}

// firstWaiting is the first position of the mark and the parked events of a row of
// lanes_log.
func firstWaiting(mark event.Position, encoded string) event.Position {
	var list []parked
	_ = json.Unmarshal([]byte(encoded), &list) // written by lane
	for _, p := range list {
		if at := (event.Position{Seq: p.Seq, Index: p.Index}); at.Before(mark) {
			mark = at
		}
	}
	return mark
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// newestLanes are the last rows of each lane and replay.
func newestLanes(rows []warehouse.LaneRow) (list []warehouse.LaneRow) {
	type key struct {
		tracker, epoch string
		run            uint32
		start          event.Position
	}
	newer := map[key]bool{}
	for _, l := range slices.Backward(rows) {
		k := key{l.Tracker, l.Epoch, l.Run, l.Start}
		if !newer[k] {
			newer[k] = true
			list = append(list, l)
		}
	}
	return list
}

// refusedRows are the rows that go to quarantine.
func refusedRows(rows []warehouse.RawRow) (list []warehouse.RawRow) {
	for i := range rows {
		if rows[i].Refused != "" {
			list = append(list, rows[i])
		}
	}
	return list
}

// count limits a count to what the column holds.
func count(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
