package warehouse

import (
	"fmt"
	"strings"
)

// ReconciliationView is reconciliation: for each day, source, event name and
// tracker, what became of the accepted events. Its columns:
//
//   - accepted: raw rows at or after the lane's start and, of a closed lane,
//     before its end, without the duplicates; duplicate: those.
//   - delivered, filtered, rejected, expired, uncertain: by the outcome of the
//     highest run. filtered adds what the lane only counted, less the events
//     among these that a replay has since given an outcome. expired adds the
//     raw rows in ranges that the lane found gone from the journal, and those
//     that waited in a journal that another one has replaced.
//   - pending: measured: raw rows of the present journal from the lane's
//     watermark on, and parked ones, that have no outcome yet.
//   - unaccounted: accepted less all of these. It is 0, or something is wrong:
//     above 0 events were lost, below 0 some have two outcomes.
//   - drift: (rejected + expired + uncertain + unaccounted) / (accepted - filtered).
//   - open: the day ended less than the settle time ago.
//   - lost: events that browsers gave up before they could send them, as their
//     SDK reported since: a row of the tracker (browser) and the event
//     sparrow:lost. They are not among the accepted.
//   - asOfPosition: the receipt position up to which events are loaded; every report
//     that is counted speaks only of events before it.
//
// settle is in seconds.
func ReconciliationView(d Dialect, settle int64) View {
	parts := []string{acceptedPart(d), outcomePart(d), heldPart(d), liftedPart(d), gapPart(d), aheadPart(d), parkedPart(d), lostPart(d)}
	sums := make([]string, len(counts))
	for i, name := range counts {
		sums[i] = fmt.Sprintf("cast(coalesce(sum(%s), 0) as bigint) as %s", name, name)
	}
	q := fmt.Sprintf(`select day, source, event, tracker, accepted, duplicate, delivered, filtered, rejected, expired, uncertain, pending, unaccounted,
  %s as drift,
  day >= %s as %s,
  (select %s from %s where stream = 'events' order by loaded desc limit 1) as asOfPosition,
  lost
from (
  select *, accepted - delivered - filtered - rejected - expired - uncertain - pending as unaccounted
  from (
    select day, source, event, tracker, %s
    from (
%s
    ) as part
    group by day, source, event, tracker
  ) as summed
) as checked
where accepted <> 0 or duplicate <> 0 or unaccounted <> 0 or lost <> 0`,
		d.Div("rejected + expired + uncertain + unaccounted", "accepted - filtered"),
		d.DayBefore(settle), d.Quote("open"),
		fmt.Sprintf("concat(epoch, '-', %s, '-', %s)", d.Text("seq"), d.Text("idx")), d.Table("positions"),
		strings.Join(sums, ", "), strings.Join(parts, "\n  union all\n"))
	return View{
		Name:        "reconciliation",
		Description: "What became of the accepted events of each day, source, event and tracker.",
		Select:      q,
		Columns:     reconciliationColumns,
	}
}

var counts = [...]string{"accepted", "duplicate", "delivered", "filtered", "rejected", "expired", "uncertain", "pending", "lost"}

var reconciliationColumns = []ViewColumn{
	{"day", "UTC day of receipt."},
	{"source", "The source whose key was used."},
	{"event", "The event's name; names beyond the first 1,000 of a source and day are (other)."},
	{"tracker", "The tracker's name."},
	{"accepted", "Events that this tracker's lane is to handle, duplicates not counted."},
	{"duplicate", "Repeats of an accepted event, sent to no vendor."},
	{"delivered", "Taken by the vendor."},
	{"filtered", "Held back by plan, consent or a filter."},
	{"rejected", "Refused by the vendor or by our check of its rules, or retries exhausted."},
	{"expired", "Left the journal before they could be sent."},
	{"uncertain", "Sent, no answer, and the vendor has no dedup key."},
	{"pending", "Measured: from the lane's watermark to the loaded end, and parked."},
	{"unaccounted", "Accepted less all of these: 0 unless something is wrong."},
	{"drift", "(rejected + expired + uncertain + unaccounted) / (accepted - filtered)."},
	{"open", "The day ended less than the settle time ago."},
	{"asOfPosition", "The position up to which events are loaded."},
	{"lost", "Given up in browsers before they could be sent, as their SDK reported."},
}

// counting is a select list with the given counts, the others 0.
func counting(given map[string]string) string {
	list := make([]string, len(counts))
	for i, name := range counts {
		expr, found := given[name]
		if !found {
			expr = "0"
		}
		list[i] = expr + " as " + name
	}
	return strings.Join(list, ", ")
}

// notBefore and before compare the position of table a with a column pair of b.
func notBefore(a, b, pair string) string {
	return fmt.Sprintf("(%[1]s.seq > %[2]s.%[3]sSeq or (%[1]s.seq = %[2]s.%[3]sSeq and %[1]s.idx >= %[2]s.%[3]sIdx))", a, b, pair)
}

func before(a, b, pair string) string {
	return fmt.Sprintf("(%[1]s.seq < %[2]s.%[3]sSeq or (%[1]s.seq = %[2]s.%[3]sSeq and %[1]s.idx < %[2]s.%[3]sIdx))", a, b, pair)
}

// ofLane joins table a to the lane whose events its rows are.
func ofLane(d Dialect, a string) string {
	return fmt.Sprintf("join %s as l on l.run = 0 and l.epoch = %s.epoch and %s and (not l.closed or %s)",
		d.Table("lanes"), a, notBefore(a, "l", "start"), before(a, "l", "mark"))
}

// same joins rows of one event. What has no row to join is found by a left join
// and NULL: BigQuery runs a correlated subquery only if it can make a join of it
// itself, and an outer join only if its condition has an equality.
func same(a, b string) string {
	return fmt.Sprintf("%[1]s.day = %[2]s.day and %[1]s.epoch = %[2]s.epoch and %[1]s.seq = %[2]s.seq and %[1]s.idx = %[2]s.idx", a, b)
}

func acceptedPart(d Dialect) string {
	return fmt.Sprintf(`  select r.day, r.source, r.event, l.tracker, %s
  from %s as r %s
  group by r.day, r.source, r.event, l.tracker`,
		counting(map[string]string{
			"accepted":  "count(case when not r.duplicate then 1 end)",
			"duplicate": "count(case when r.duplicate then 1 end)",
		}), d.Days("raw"), ofLane(d, "r"))
}

// outcomePart counts each event's outcome in its highest run.
func outcomePart(d Dialect) string {
	given := map[string]string{}
	for _, outcome := range []string{"delivered", "filtered", "rejected", "expired", "uncertain"} {
		given[outcome] = fmt.Sprintf("count(case when d.outcome = '%s' then 1 end)", outcome)
	}
	return fmt.Sprintf(`  select d.day, d.source, d.event, d.tracker, %s
  from %s as d
  %s and l.tracker = d.tracker
  left join (
    select day, epoch, seq, idx, tracker, max(run) as run from %s where run > 0 group by day, epoch, seq, idx, tracker
  ) as last on last.day = d.day and last.epoch = d.epoch and last.seq = d.seq and last.idx = d.idx and last.tracker = d.tracker
  where d.run = coalesce(last.run, 0)
  group by d.day, d.source, d.event, d.tracker`,
		counting(given), d.CountedDeliveries(), ofLane(d, "d"), d.Days("deliveries"))
}

// heldPart counts what lanes only counted.
func heldPart(d Dialect) string {
	return fmt.Sprintf(`  select f.day, f.source, f.event, f.tracker, %s
  from %s as f
  where f.run = 0 and f.tracker in (select tracker from %s where run = 0)
  group by f.day, f.source, f.event, f.tracker`,
		counting(map[string]string{"filtered": "sum(f.count)"}), d.Table("filtered"), d.Table("lanes"))
}

// liftedPart takes back from filtered the events that the lane held, as far as
// a replay gave them an outcome: those below its watermark that have none of
// the lane and are not parked.
func liftedPart(d Dialect) string {
	return fmt.Sprintf(`  select d.day, d.source, d.event, d.tracker, %s
  from (
    select distinct day, source, event, tracker, epoch, seq, idx from %s as every_delivery where run > 0
  ) as d
  %s and l.tracker = d.tracker and %s
  left join %s as own on own.run = 0 and own.tracker = d.tracker and %s
  left join %s as p on p.run = 0 and p.tracker = d.tracker and p.epoch = d.epoch and p.seq = d.seq and p.idx = d.idx
  left join %s as g on g.run = 0 and g.tracker = d.tracker and g.epoch = d.epoch and %s and %s
  where own.tracker is null and p.tracker is null and g.tracker is null
  group by d.day, d.source, d.event, d.tracker`,
		counting(map[string]string{"filtered": "0 - count(*)"}), d.CountedDeliveries(), ofLane(d, "d"), before("d", "l", "mark"),
		d.Days("deliveries"), same("own", "d"), d.Table("parked"), d.Table("gaps"), notBefore("d", "g", "from"), before("d", "g", "to"))
}

// gapPart counts the events that had left the journal when the lane came to them.
func gapPart(d Dialect) string {
	return fmt.Sprintf(`  select r.day, r.source, r.event, l.tracker, %s
  from (select distinct tracker, epoch, fromSeq, fromIdx, toSeq, toIdx from %s where run = 0) as g
  join %s as r on r.epoch = g.epoch and %s and %s
  %s and l.tracker = g.tracker
  left join %s as d on d.tracker = g.tracker and %s
  where not r.duplicate and d.tracker is null
  group by r.day, r.source, r.event, l.tracker`,
		counting(map[string]string{"expired": "count(*)"}), d.Table("gaps"), d.Days("raw"), notBefore("r", "g", "from"), before("r", "g", "to"),
		ofLane(d, "r"), d.Days("deliveries"), same("d", "r"))
}

// aheadPart counts the events that lanes have not reached. Both tables are cut
// to what lies beyond the slowest lane first: that is little, and all the rest.
func aheadPart(d Dialect) string {
	slowest := fmt.Sprintf("(select min(markSeq) from %s where run = 0 and not closed)", d.Table("lanes"))
	return fmt.Sprintf(`  select r.day, r.source, r.event, l.tracker, %s
  from (select * from %s as every_record where seq >= %s) as r
  %s and %s and not l.closed
  cross join %s as latest
  left join (select * from %s as every_delivery where seq >= %s) as d on d.tracker = l.tracker and %s
  where not r.duplicate and d.tracker is null
  group by r.day, r.source, r.event, l.tracker`,
		waiting(), d.Days("raw"), slowest, ofLane(d, "r"), notBefore("r", "l", "mark"), latestEpoch(d),
		d.Days("deliveries"), slowest, same("d", "r"))
}

// parkedPart counts the events that wait for another attempt.
func parkedPart(d Dialect) string {
	return fmt.Sprintf(`  select r.day, r.source, r.event, l.tracker, %s
  from %s as p
  join %s as r on r.epoch = p.epoch and r.seq = p.seq and r.idx = p.idx
  %s and l.tracker = p.tracker and %s
  cross join %s as latest
  left join %s as d on d.tracker = p.tracker and %s
  where p.run = 0 and not r.duplicate and d.tracker is null
  group by r.day, r.source, r.event, l.tracker`,
		waiting(), d.Table("parked"), d.Days("raw"), ofLane(d, "r"), before("r", "l", "mark"), latestEpoch(d),
		d.Days("deliveries"), same("d", "r"))
}

// waiting counts events without an outcome: pending, or expired when they were
// in a journal that another one has replaced, where no lane will find them.
func waiting() string {
	return counting(map[string]string{
		"pending": "sum(case when l.epoch = latest.epoch then 1 else 0 end)",
		"expired": "sum(case when l.epoch = latest.epoch then 0 else 1 end)",
	})
}

// latestEpoch is a table of one row: the epoch of the journal that is there now.
func latestEpoch(d Dialect) string {
	return fmt.Sprintf("(select epoch from %s where stream = 'events' order by loaded desc limit 1)", d.Table("positions"))
}

// What the browser SDK reports as lost: an event of this name, whose count is
// believed between 1 and mostLost (a client could write anything).
const (
	lostEvent   = "sparrow:lost"
	lostTracker = "(browser)"
	mostLost    = 100_000
)

// lostPart counts what browsers reported as lost.
func lostPart(d Dialect) string {
	inner, text, _ := d.Extract([]Path{{"properties", "count"}}, nil)
	if inner != "" {
		inner = ", " + inner
	}
	return fmt.Sprintf(`  select told.day, told.source, %[1]s as event, %[2]s as tracker, %[3]s
  from (
    select r.day, r.source, %[4]s as n
    from (select day, source, data%[5]s from %[6]s where usable and not duplicate and event = %[1]s) as r
  ) as told
  where told.n between 1 and %[7]d
  group by told.day, told.source`,
		d.Literal(lostEvent), d.Literal(lostTracker), counting(map[string]string{"lost": "sum(told.n)"}),
		d.Typed(text(0), TypeInteger), inner, d.Days("raw"), mostLost)
}
