package warehousetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// history is a random past of a journal and its lanes, and what must be counted
// of it. It is worked out from what happened to each record, one by one.
type history struct {
	random   *rand.Rand
	journal  *Journal
	records  []event.Record
	lanes    []*lane
	expected map[group]*tally
	stride   int // records that a lane decides at a time, at most
	// calm lanes begin with the journal and decide all of it, once: nothing has a day
	// counted again, which the emulator of BigQuery cannot do for thousands of events.
	calm bool
	// write, if set, gives a record data of more than its event and device.
	write func(*rand.Rand, *event.Record)
}

// group is what a row of the reconciliation stands for.
type group struct{ day, source, event, tracker string }

// tally is a row's counts.
type tally struct {
	accepted, duplicate, pending int
	outcomes                     [6]int // by event.Outcome
}

// lane is a tracker's lane as the model sees it.
type lane struct {
	tracker    string
	start, end int // indices into records: from start, done before end
	closed     bool
	fate       map[int]fate // of each record that has one
}

// fate is what became of a record at a tracker.
type fate struct {
	outcome event.Outcome
	held    bool // counted, not reported row by row
	parked  bool
	gone    bool // left the journal before the lane read it
}

// newHistory makes a history of so many messages.
func newHistory(seed uint64, epoch string, messages int) *history {
	h := &history{random: rand.New(rand.NewPCG(seed, 7)), journal: NewJournal(epoch), expected: map[group]*tally{}, stride: 20}
	for range messages {
		h.message()
	}
	h.live()
	return h
}

// live plays the lanes' lives, and works out what must be counted.
func (h *history) live() {
	for i := range 3 {
		if h.calm {
			h.journal.AddCheckpoint(h.report(&lane{tracker: fmt.Sprintf("tracker%d", i)}, 0))
		}
	}
	for i := range 3 {
		h.lanes = append(h.lanes, h.lane(fmt.Sprintf("tracker%d", i)))
	}
	for _, l := range h.lanes {
		if !h.calm {
			h.replay(l)
		}
	}
	for _, l := range h.lanes {
		h.count(l)
	}
}

// message appends a message of a few records of one source.
func (h *history) message() {
	source := []string{"shop", "app's"}[h.random.IntN(2)]
	records := make([]event.Record, 1+h.random.IntN(5))
	for i := range records {
		records[i] = h.record(source)
	}
	h.journal.Append(records...)
	h.records = append(h.records, records...)
}

func (h *history) record(source string) event.Record {
	names := []string{"buy", "pageview", "it's", "Buy", "(other)", "名"}
	n := len(h.records)
	r := event.Record{
		Source: source, EventID: fmt.Sprintf("id%d", n),
		ReceivedAt: day().AddDate(0, 0, h.random.IntN(3)).Add(time.Duration(h.random.Int64N(int64(24 * time.Hour)))).Truncate(time.Microsecond),
		Data:       fmt.Appendf(nil, `{"event":%q,"deviceId":"d"}`, names[h.random.IntN(len(names))]),
		Duplicate:  h.random.IntN(8) == 0,
	}
	switch h.random.IntN(20) {
	case 0:
		r.Data, r.Context.Malformed, r.Duplicate = []byte(`{"event":"buy"`), "unexpected end", false
	case 1:
		r.Data, r.Context.Invalid = []byte(`{"event":17}`), "event: must be a string"
	case 2:
		r.Data, r.Context.Invalid = []byte(`{"event":"no device"}`), "deviceId: required"
	}
	if h.write != nil {
		h.write(h.random, &r)
	}
	return r
}

// name is what a record is counted under.
func name(r *event.Record) string {
	switch {
	case r.Context.Malformed != "":
		return "(malformed)"
	case r.Context.Invalid == "event: must be a string":
		return "(invalid)"
	}
	text := string(r.Data[len(`{"event":"`):])
	return text[:slices.Index([]byte(text), '"')]
}

// position of the record at an index, or of the end.
func (h *history) position(i int) event.Position {
	if i < len(h.records) {
		return h.records[i].Receipt.Position
	}
	return event.Position{Seq: h.records[len(h.records)-1].Receipt.Seq + 1}
}

// lane plays a lane's life: report by report, from its start to where it is.
func (h *history) lane(tracker string) *lane {
	total := len(h.records)
	l := &lane{tracker: tracker, fate: map[int]fate{}, closed: h.random.IntN(4) == 0}
	if h.random.IntN(2) == 0 {
		l.start = h.random.IntN(total / 2)
	}
	stop := l.start + h.random.IntN(total-l.start+1)
	if h.calm {
		l.start, stop, l.closed = 0, total, false
	}
	l.end = l.start
	for l.end < stop {
		h.advance(l, min(stop, l.end+1+h.random.IntN(h.stride)))
	}
	report := h.report(l, 0)
	for _, i := range slices.Sorted(maps.Keys(l.fate)) { // what was parked is decided, or stays so
		if f := l.fate[i]; f.parked && (l.closed || h.calm || h.random.IntN(2) == 0) {
			l.fate[i] = fate{outcome: event.Rejected}
			report.Deliveries = append(report.Deliveries, h.delivery(i, event.Rejected))
		}
	}
	report.Parked = h.parked(l)
	report.Removed = l.closed
	h.journal.AddCheckpoint(report)
	return l
}

// advance decides the records up to index to and reports them.
func (h *history) advance(l *lane, to int) {
	report := h.report(l, 0)
	held := map[event.FilteredCount]uint64{}
	for ; l.end < to; l.end++ {
		if _, decided := l.fate[l.end]; decided || h.records[l.end].Duplicate {
			continue
		}
		f := h.decide(l.end)
		l.fate[l.end] = f
		switch {
		case f.gone:
			p := h.records[l.end].Receipt.Position
			report.Gaps = append(report.Gaps, event.Gap{From: p, To: p.Next()})
		case f.held:
			r := &h.records[l.end]
			held[event.FilteredCount{Day: r.ReceivedAt.Truncate(24 * time.Hour), Source: r.Source, Event: name(r), Reason: "consent"}]++
		case !f.parked:
			report.Deliveries = append(report.Deliveries, h.delivery(l.end, f.outcome))
		}
	}
	if ahead := l.end + h.random.IntN(3); ahead < len(h.records) && !l.closed && !h.records[ahead].Duplicate {
		if _, decided := l.fate[ahead]; !decided { // out of order, beyond the watermark
			l.fate[ahead] = fate{outcome: event.Delivered}
			report.Deliveries = append(report.Deliveries, h.delivery(ahead, event.Delivered))
		}
	}
	for key, n := range held {
		key.Count = n
		report.Filtered = append(report.Filtered, key)
	}
	for range h.random.IntN(3) {
		report.Leaks = append(report.Leaks, event.Leak{Day: day(), Source: "shop", Event: "buy", Property: "properties.no'te", Kind: "email", Count: 1})
	}
	report.Watermark = h.position(l.end)
	report.Parked = h.parked(l)
	h.journal.AddCheckpoint(report)
}

func (h *history) decide(i int) fate {
	if !h.records[i].Usable() {
		return fate{outcome: event.Rejected}
	}
	switch h.random.IntN(10) {
	case 0, 1:
		return fate{held: true}
	case 3:
		return fate{outcome: event.Expired, gone: !h.calm}
	case 2:
		return fate{parked: true}
	default:
		return fate{outcome: event.Outcome(1 + h.random.IntN(5))}
	}
}

func (h *history) report(l *lane, run uint32) event.Checkpoint {
	return event.Checkpoint{
		Tracker: l.tracker, Run: run, Plan: "p1", Release: "v1", Time: h.records[0].ReceivedAt,
		Start: h.position(l.start), Watermark: h.position(l.end),
	}
}

func (h *history) delivery(i int, outcome event.Outcome) event.Delivery {
	r := &h.records[i]
	d := event.Delivery{
		Position: r.Receipt.Position, EventID: r.EventID, Outcome: outcome, Attempts: 1, Time: r.ReceivedAt.Add(time.Second),
		Day: r.ReceivedAt.Truncate(24 * time.Hour), Reason: []string{"", "retries exhausted", "retries exhausted: http 500"}[i%3],
	}
	if i%4 > 0 { // the others are of lanes that could not read the record any more
		d.Source, d.Event = r.Source, name(r)
	}
	return d
}

func (h *history) parked(l *lane) []event.Parked {
	var list []event.Parked
	for _, i := range slices.Sorted(maps.Keys(l.fate)) {
		if l.fate[i].parked {
			list = append(list, event.Parked{Position: h.records[i].Receipt.Position, Due: h.records[i].ReceivedAt, Since: h.records[i].ReceivedAt, Attempts: 1})
		}
	}
	return list
}

// replay sends some records again, of any fate and also from before the lane's
// start, in one or two runs.
func (h *history) replay(l *lane) {
	for run := uint32(1); run <= uint32(h.random.IntN(3)); run++ {
		report := h.report(l, run)
		for i := range h.records {
			if h.records[i].Duplicate || h.random.IntN(10) > 0 {
				continue
			}
			outcome := event.Outcome(1 + h.random.IntN(5))
			report.Deliveries = append(report.Deliveries, h.delivery(i, outcome))
			l.fate[i] = fate{outcome: outcome}
		}
		// Held back once more: the lane's count stands.
		report.Filtered = []event.FilteredCount{{Day: day(), Source: "shop", Event: "buy", Reason: "consent", Count: 3}}
		h.journal.AddCheckpoint(report)
	}
}

// count adds what became of each record of a lane to what is expected.
func (h *history) count(l *lane) {
	for i := range h.records {
		if i < l.start || (l.closed && i >= l.end) {
			continue
		}
		r := &h.records[i]
		key := group{r.ReceivedAt.Format(time.DateOnly), r.Source, name(r), l.tracker}
		if h.expected[key] == nil {
			h.expected[key] = &tally{}
		}
		row := h.expected[key]
		if r.Duplicate {
			row.duplicate++
			continue
		}
		row.accepted++
		f, decided := l.fate[i]
		switch {
		case !decided || f.parked:
			row.pending++
		case f.held:
			row.outcomes[event.Filtered]++
		default:
			row.outcomes[f.outcome]++
		}
	}
}
