package bigquery

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// sumState is what a commit says of the sums. A commit's state is never changed: a
// later one has a copy.
type sumState struct {
	// Counted are the days whose sums are kept; Uncounted those that Backfill is to
	// count. Other days with rows are older than Since, and left to a command.
	Counted   daySet `json:"counted"`
	Uncounted daySet `json:"uncounted"`
	// Since begins the days whose every row was loaded with its sums.
	Since   string   `json:"since,omitempty"`
	Lives   []life   `json:"lives,omitempty"`
	Replays []replay `json:"replays,omitempty"`
}

// life is a lane's life.
type life struct {
	Tracker string         `json:"tracker"`
	Epoch   string         `json:"epoch"`
	Start   event.Position `json:"start"`
	Mark    event.Position `json:"mark"`
	Closed  bool           `json:"closed,omitempty"`
	// Waits is the first position that has no outcome: the mark, or a parked event.
	Waits event.Position `json:"waits"`
}

// owns reports whether a record of the life's epoch is the lane's to deliver.
func (l *life) owns(p event.Position) bool {
	return !p.Before(l.Start) && (!l.Closed || p.Before(l.Mark))
}

// replay says between which positions a tracker's events have outcomes of replays.
type replay struct {
	Tracker string         `json:"tracker"`
	Epoch   string         `json:"epoch"`
	First   event.Position `json:"first"`
	Last    event.Position `json:"last"`
}

func (s *sumState) clone() *sumState {
	c := *s
	c.Counted, c.Uncounted = maps.Clone(s.Counted), maps.Clone(s.Uncounted)
	c.Lives, c.Replays = slices.Clone(s.Lives), slices.Clone(s.Replays)
	return &c
}

// uncount leaves a day to Backfill.
func (s *sumState) uncount(day time.Time) {
	delete(s.Counted, day)
	s.Uncounted[day] = true
}

// daySet is a set of UTC days. Its JSON is a list of ranges, each with its first
// and last day.
type daySet map[time.Time]bool

func (d daySet) days() []time.Time { return slices.SortedFunc(maps.Keys(d), time.Time.Compare) }

// MarshalJSON writes the ranges.
func (d daySet) MarshalJSON() ([]byte, error) {
	ranges := [][2]string{}
	last := time.Time{}
	for _, day := range d.days() {
		text := day.Format(time.DateOnly)
		if n := len(ranges); n > 0 && day.Equal(last.AddDate(0, 0, 1)) {
			ranges[n-1][1] = text
		} else {
			ranges = append(ranges, [2]string{text, text})
		}
		last = day
	}
	return json.Marshal(ranges)
}

// UnmarshalJSON reads the ranges.
func (d *daySet) UnmarshalJSON(encoded []byte) error {
	var ranges [][2]string
	if err := json.Unmarshal(encoded, &ranges); err != nil {
		return err
	}
	*d = daySet{}
	for _, r := range ranges {
		first, err := time.Parse(time.DateOnly, r[0])
		if err != nil {
			return err
		}
		last, err := time.Parse(time.DateOnly, r[1])
		if err != nil {
			return err
		}
		if last.Sub(first) > mostDays*24*time.Hour {
			return fmt.Errorf("%d days at most are counted: %s to %s", mostDays, r[0], r[1])
		}
		for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
			(*d)[day] = true
		}
	}
	return nil
}

// mostDays bounds a range of days that is read: BigQuery has 10,000 partitions at most.
const mostDays = 10_000

// sum is what one row of the sums counts.
type sum struct {
	day                                     time.Time
	source, event, tracker, outcome, reason string
}

// sumRows are changes of sums; added up they are the sums.
type sumRows map[sum]int64

// MarshalJSON writes a list of [day, source, event, tracker, outcome, reason, n].
func (r sumRows) MarshalJSON() ([]byte, error) {
	list := make([][7]any, 0, len(r))
	for s, n := range r {
		list = append(list, [7]any{s.day.Format(time.DateOnly), s.source, s.event, s.tracker, s.outcome, s.reason, n})
	}
	return json.Marshal(list)
}

// longestSums bounds the sums in one commit, in bytes. The days of a batch with more
// are counted from the rows afterwards.
const longestSums = 4_000_000

// batchSums works out what a batch does to the sums. Most batches only add: their
// accepted events and their first outcomes. What else can happen to a day, such as
// a lane that begins before events that are stored, or a replay, has the day
// counted again from its rows.
type batchSums struct {
	last   *commit   // before the batch
	state  *sumState // after it
	b      *warehouse.Batch
	rows   sumRows
	again  daySet                 // days to be counted again
	ranges map[positionRange]bool // rows whose days are to be counted again
}

// positionRange is a range of the records of an epoch.
type positionRange struct {
	epoch    string
	from, to event.Position // not including to; zero for no end
}

// sumsOf says what the batch adds, but for the days that it finds: those are known
// only after days of rows in ranges were asked for. add is called after that.
func sumsOf(last *commit, b *warehouse.Batch) *batchSums {
	s := &batchSums{last: last, state: last.Sums.clone(), b: b, rows: sumRows{}, again: daySet{}, ranges: map[positionRange]bool{}}
	s.newDays()
	s.lanes()
	s.gaps()
	s.replays()
	s.replacedJournal()
	return s
}

// newDays begins the sums of days whose first rows are in the batch.
func (s *batchSums) newDays() {
	for i := range s.b.Raw {
		day := warehouse.Day(s.b.Raw[i].Timestamp)
		if !s.state.Counted[day] && !s.state.Uncounted[day] && day.Format(time.DateOnly) >= s.state.Since {
			s.state.Counted[day] = true
			s.first(day, &s.b.Raw[i].Receipt)
		} else if i == 0 && s.b.Events.Epoch != s.last.latestEvents() {
			s.first(day, &s.b.Raw[i].Receipt)
		}
	}
}

// firstOutcome marks a row of the sums that counts nothing: n is the sequence of
// the first record of the day in the epoch that stands in the row's source. By
// these rows the day of a receipt is found.
const firstOutcome = "first"

func (s *batchSums) first(day time.Time, r *event.Receipt) {
	s.rows[sum{day: day, source: r.Epoch, outcome: firstOutcome}] = int64(r.Seq)
}

// lanes follows the lanes. Where one begins or ends, what is stored from there on
// is no longer counted rightly.
func (s *batchSums) lanes() {
	for i := range s.b.Lanes {
		row := &s.b.Lanes[i]
		if row.Run != 0 {
			continue
		}
		at := slices.IndexFunc(s.state.Lives, func(l life) bool {
			return l.Tracker == row.Tracker && l.Epoch == row.Epoch && l.Start == row.Start
		})
		if at < 0 {
			at = len(s.state.Lives)
			s.state.Lives = append(s.state.Lives, life{Tracker: row.Tracker, Epoch: row.Epoch, Start: row.Start})
			s.recountStored(row.Epoch, row.Start)
		}
		l := &s.state.Lives[at]
		if row.Closed && !l.Closed {
			s.recountStored(row.Epoch, row.Watermark)
		}
		l.Mark, l.Waits, l.Closed = row.Watermark, row.Watermark, row.Closed
		for _, p := range row.Parked {
			if p.Position.Before(l.Waits) {
				l.Waits = p.Position
			}
		}
	}
}

// recountStored has the days counted again of the rows from a position on that were
// stored before the batch.
func (s *batchSums) recountStored(epoch string, from event.Position) {
	if from.Before(s.last.position(warehouse.EventsStream, epoch)) {
		s.ranges[positionRange{epoch: epoch, from: from}] = true
	}
}

// gaps finds the events that had left the journal.
func (s *batchSums) gaps() {
	for i := range s.b.Gaps {
		if g := &s.b.Gaps[i]; g.Run == 0 {
			s.ranges[positionRange{g.Epoch, g.From, g.To}] = true
		}
	}
}

// replays finds the days in which an event may have outcomes of several runs: only
// the highest counts.
func (s *batchSums) replays() {
	for i := range s.b.Deliveries {
		d := &s.b.Deliveries[i]
		if d.Run == 0 {
			continue
		}
		at := slices.IndexFunc(s.state.Replays, func(r replay) bool { return r.Tracker == d.Tracker && r.Epoch == d.Epoch })
		if at < 0 {
			at = len(s.state.Replays)
			s.state.Replays = append(s.state.Replays, replay{d.Tracker, d.Epoch, d.Position, d.Position})
		}
		r := &s.state.Replays[at]
		if d.Position.Before(r.First) {
			r.First = d.Position
		}
		if r.Last.Before(d.Position) {
			r.Last = d.Position
		}
	}
	for i := range s.b.Deliveries {
		d := &s.b.Deliveries[i]
		for _, r := range s.state.Replays {
			if r.Tracker == d.Tracker && r.Epoch == d.Epoch && !d.Position.Before(r.First) && !r.Last.Before(d.Position) {
				s.recount(d.Day)
			}
		}
	}
	s.passedReplays()
}

// passedReplays finds the events that a lane has passed since, and that it may have
// counted as filtered though a replay had given them an outcome.
func (s *batchSums) passedReplays() {
	for i, l := range s.state.Lives {
		from := l.Start
		if i < len(s.last.Sums.Lives) {
			from = s.last.Sums.Lives[i].Mark
		}
		for _, r := range s.state.Replays {
			if from.Before(l.Mark) && r.Tracker == l.Tracker && r.Epoch == l.Epoch && r.First.Before(l.Mark) && !r.Last.Before(from) {
				s.ranges[positionRange{l.Epoch, from, l.Mark}] = true
			}
		}
	}
}

// replacedJournal finds the events that waited in a journal when another replaced
// it, and those of which its lanes still said something.
func (s *batchSums) replacedJournal() {
	before := s.last.latestEvents()
	latest := before
	if s.b.Events.Epoch != "" {
		latest = s.b.Events.Epoch
	}
	replaced := map[string]bool{}
	for i := range s.b.Lanes {
		if epoch := s.b.Lanes[i].Epoch; latest != "" && epoch != latest {
			replaced[epoch] = true
		}
	}
	if before != latest && before != "" {
		replaced[before] = true
	}
	for i := range s.b.Deliveries {
		if d := &s.b.Deliveries[i]; replaced[d.Epoch] {
			s.recount(d.Day)
		}
	}
	for epoch := range replaced {
		for _, lives := range [][]life{s.last.Sums.Lives, s.state.Lives} {
			for _, l := range lives {
				if l.Epoch == epoch && !l.Closed {
					s.ranges[positionRange{epoch: epoch, from: l.Waits}] = true
				}
			}
		}
	}
}

// recount has a day counted again, if its sums are kept.
func (s *batchSums) recount(day time.Time) {
	if day = warehouse.Day(day); s.state.Counted[day] {
		s.again[day] = true
	}
}

// add adds the events and outcomes of the batch, but for the days that are counted
// again.
func (s *batchSums) add() {
	for i := range s.b.Raw {
		r := &s.b.Raw[i]
		outcome := "accepted"
		if r.Duplicate {
			outcome = "duplicate"
		}
		day := warehouse.Day(r.Timestamp)
		for k := range s.state.Lives {
			if l := &s.state.Lives[k]; l.Epoch == r.Receipt.Epoch && l.owns(r.Receipt.Position) {
				s.count(sum{day, r.Source, r.Event, l.Tracker, outcome, ""}, 1)
			}
		}
		if n := warehouse.LostCount(r); n > 0 && s.state.Counted[day] {
			s.rows[sum{day, r.Source, r.Event, warehouse.LostTracker, "lost", ""}] += n // whether or not the rest is counted again
		}
	}
	for i := range s.b.Deliveries {
		d := &s.b.Deliveries[i]
		if d.Source == "" || d.Run != 0 {
			continue
		}
		for k := range s.state.Lives {
			if l := &s.state.Lives[k]; l.Tracker == d.Tracker && l.Epoch == d.Epoch && l.owns(d.Position) {
				s.count(sum{warehouse.Day(d.Day), d.Source, d.Event, d.Tracker, d.Outcome.String(), sumReason(d.Reason)}, 1)
			}
		}
	}
}

func (s *batchSums) count(key sum, n int64) {
	if s.state.Counted[key.day] && !s.again[key.day] {
		s.rows[key] += n
	}
}

// encoded is the JSON of the rows, "" for none. The days of too many rows are left
// to Backfill.
func (s *batchSums) encoded() string {
	if len(s.rows) == 0 {
		return ""
	}
	encoded, err := json.Marshal(s.rows)
	if err != nil || len(encoded) > longestSums {
		for key := range s.rows {
			s.state.uncount(key.day)
		}
		return ""
	}
	return string(encoded)
}

// longestReason bounds a reason in the sums, in characters.
const longestReason = 100

// sumReason is Dialect.SumReason.
func sumReason(reason string) string {
	for i, r := range reason {
		if r == ':' {
			reason = reason[:i]
			break
		}
	}
	if runes := []rune(reason); len(runes) > longestReason {
		return string(runes[:longestReason])
	}
	return reason
}
