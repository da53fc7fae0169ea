package delivery

import (
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// The bounds of a window, chosen so that its checkpoint fits one message of the
// outcomes stream (1 MiB) at the worst: 1,000 rows of 400 bytes, 128 KiB of
// counts and names, 10,000 parked entries of 26 bytes; vendors' responses get the rest.
const (
	maxRows        = 1000
	maxRecords     = 20_000
	maxWindowBytes = 4 << 20 // of the records' data, for what is kept to be sent
	maxTallyBytes  = 128 << 10
)

// state is where an item of a window stands.
type state uint8

const (
	pending state = iota // to be sent, or sent without an answer that decides about it
	decided              // has its row
	parked               // waits for an attempt of its own
	counted              // filtered after all, and counted
)

// recordInfo is what an outcome says of the record that its event came from. It
// is empty, but for receivedAt, when the record could not be read.
type recordInfo struct {
	eventID    string
	source     string
	eventName  string // see event.CountedName
	receivedAt time.Time
}

func infoOf(rec *event.Record) recordInfo {
	return recordInfo{eventID: rec.EventID, source: rec.Source, eventName: event.CountedName(rec), receivedAt: rec.ReceivedAt}
}

// item is one event of a window that needs a row or a request.
type item struct {
	recordInfo
	position event.Position
	event    event.Event

	attempts int       // requests that carried it, in this process
	since    time.Time // see event.Parked
	retry    bool      // it was parked before this window
	answered bool      // a round trip with the vendor decided about it
	again    int       // times it was sent again at once
	alone    bool      // the vendor fails on it: it is never sent with others

	state   state
	row     event.Delivery
	due     time.Time // when parked
	failure string    // why it was parked, or why it is not yet delivered
}

// day is the UTC day of t, at midnight.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// decide gives the item its row.
func (it *item) decide(outcome event.Outcome, reason string, now time.Time) {
	it.state = decided
	it.row = event.Delivery{
		Position: it.position, EventID: it.eventID, Source: it.source, Event: it.eventName,
		Outcome: outcome, Reason: event.Truncate(strings.ToValidUTF8(reason, "\uFFFD"), maxReason),
		Attempts: it.attempts, Time: now, Day: day(it.receivedAt),
	}
}

// window is a stretch of the journal that is decided as a whole, and the
// parked events that are tried again beside it. Nothing of it is part of the
// lane's state before it is committed; until then it can be dropped and read
// again.
type window struct {
	tracer  Tracer
	limit   int // events to send, at most
	room    int // new events that could be parked, at most
	items   []*item
	tally   tally
	gaps    []event.Gap
	end     event.Position // the cursor once the window is committed
	records int
	bytes   int
	fresh   int // items, not retries, that are parked or could be
	toSend  int
	began   time.Time // when its first record or retry came
}

// add puts an item into the window. bytes is the size of its record.
func (w *window) add(it *item, bytes int) {
	w.items = append(w.items, it)
	w.tally.name(it.source)
	w.tally.name(it.eventName)
	if !it.retry && (it.state == parked || it.state == pending) {
		w.fresh++
	}
	if it.state == pending {
		w.toSend++
		w.bytes += bytes
	}
}

func (w *window) empty() bool { return w.records == 0 && len(w.items) == 0 && len(w.gaps) == 0 }

// full reports whether the window has no room for another record.
func (w *window) full() bool {
	return w.toSend >= w.limit || w.fresh >= w.room || w.records >= maxRecords || w.bytes >= maxWindowBytes || w.checkpointFull()
}

// checkpointFull reports whether the rows, counts and names are as many as one
// checkpoint has space for.
func (w *window) checkpointFull() bool {
	return len(w.items) >= maxRows || w.tally.size >= maxTallyBytes
}

// pending returns the items that still have to be sent.
func (w *window) pending() []*item {
	var list []*item
	for _, it := range w.items {
		if it.state == pending {
			list = append(list, it)
		}
	}
	return list
}

// tally counts what is not recorded event by event, and collects the names that
// the rows refer to. The keys of the counts are values whose Count is zero.
type tally struct {
	filtered map[event.FilteredCount]uint64
	leaks    map[event.Leak]uint64
	names    map[string]uint64 // sources and event names of rows: a checkpoint has each once
	size     int               // of the encoded counts and names, roughly
}

func (t *tally) filter(h event.FilteredCount, n uint64) {
	t.size += increase(&t.filtered, h, n, len(h.Source)+len(h.Event)+len(h.Reason)+16)
}

func (t *tally) leak(k event.Leak, n uint64) {
	t.size += increase(&t.leaks, k, n, len(k.Source)+len(k.Event)+len(k.Property)+len(k.Kind)+16)
}

func (t *tally) name(name string) {
	t.size += increase(&t.names, name, 1, len(name)+2)
}

// increase adds n to a count. It returns how much the encoding grows: size for a
// new key.
func increase[K comparable](counts *map[K]uint64, key K, n uint64, size int) int {
	if *counts == nil {
		*counts = make(map[K]uint64)
	}
	if (*counts)[key] > 0 {
		size = 0
	}
	(*counts)[key] += n
	return size
}

// merge adds the counts of other; names come with their rows.
func (t *tally) merge(other *tally) {
	for h, n := range other.filtered {
		t.filter(h, n)
	}
	for k, n := range other.leaks {
		t.leak(k, n)
	}
}
