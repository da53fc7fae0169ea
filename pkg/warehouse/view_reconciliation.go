package warehouse

import (
	"cmp"
	"embed"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"text/template"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

var sqlTemplates = template.Must(template.ParseFS(sqlFiles, "sql/*.sql"))

// outcomes are the counts of a row of the reconciliation, each a column.
var outcomes = [...]string{"accepted", "duplicate", "delivered", "filtered", "rejected", "expired", "uncertain", "pending", "lost"}

// LostEvent is the name of the events in which the browser SDK reports what it
// gave up.
const LostEvent = "sparrow:lost"

// LostTracker is the tracker of what browsers gave up.
const LostTracker = "(browser)"

// mostLost bounds the count of a LostEvent that is believed.
const mostLost = 100_000

// counting fills the holes of the SQL that counts.
type counting struct {
	Dialect
	Rows   string // an SQL condition on rows r, "" for all
	Epochs string // of waiting events: "latest", "replaced", "" for both
	Settle int64  // seconds
}

// Outcomes, LostEvent, LostTracker and MostLost are constants of the SQL.
func (counting) Outcomes() []string  { return outcomes[:] }
func (counting) LostEvent() string   { return LostEvent }
func (counting) LostTracker() string { return LostTracker }
func (counting) MostLost() int       { return mostLost }

// LostInner is what the subquery selects so that LostCount can read the count.
func (c counting) LostInner() string {
	inner, _ := c.lost()
	return inner
}

// LostCount is the count of an event of that name.
func (c counting) LostCount() string {
	_, count := c.lost()
	return count
}

func (c counting) lost() (inner, count string) {
	inner, text, _ := c.Extract([]Path{{"properties", "count"}}, nil)
	if inner != "" {
		inner = ", " + inner
	}
	return inner, c.Typed(text(0), TypeInteger)
}

func (c counting) sql(name string) string {
	var b strings.Builder
	if err := sqlTemplates.ExecuteTemplate(&b, name, c); err != nil {
		panic("warehouse: " + err.Error()) // a mistake in an embedded file: every test meets it
	}
	return b.String()
}

// CountSQL counts what became of the accepted events, from the rows, as the sums
// keep it: columns day, source, event, tracker, outcome, reason, n. rows is an SQL
// condition on a day of rows r. What waits in the present journal is not in it:
// the reconciliation measures that.
func CountSQL(d Dialect, rows string) string {
	return counting{Dialect: d, Rows: rows, Epochs: "replaced"}.sql("counted")
}

// CountLanesSQL is CountSQL without what browsers lost, which is read from the data of
// the rows.
func CountLanesSQL(d Dialect, rows string) string {
	return counting{Dialect: d, Rows: rows, Epochs: "replaced"}.sql("of lanes")
}

// CountLostSQL is the part of CountSQL that counts what browsers reported as lost,
// in rows r of raw.
func CountLostSQL(d Dialect, rows string) string {
	return counting{Dialect: d, Rows: rows}.sql("lost")
}

// LostCount is the count of one row of raw, as CountLostSQL counts it; 0 for none.
func LostCount(r *RawRow) int64 {
	if r.Event != LostEvent || !r.Usable || r.Duplicate || r.Refused != "" {
		return 0
	}
	var told struct {
		Properties struct{ Count json.RawMessage }
	}
	if json.Unmarshal([]byte(cmp.Or(r.Translated, r.Data)), &told) != nil {
		return 0
	}
	number := string(told.Properties.Count)
	if text := ""; json.Unmarshal(told.Properties.Count, &text) == nil {
		number = text
	}
	if strings.Trim(number, "0123456789+-.eE") != "" {
		return 0
	}
	n, err := strconv.ParseFloat(number, 64)
	if n = math.Round(n*1e9) / 1e9; err != nil || n != math.Trunc(n) || n < 1 || n > mostLost {
		return 0
	}
	return int64(n)
}

// ReconciliationView is reconciliation: for each day, source, event name and
// tracker, what became of the accepted events. Its columns:
//
//   - accepted: raw rows at or after the lane's start and, of a closed lane,
//     before its end, without the duplicates; duplicate: those.
//   - delivered, filtered, rejected, expired, uncertain: by the outcome of the
//     highest run. filtered adds what the lane only counted, less the events
//     of these that a replay has since given an outcome. expired adds the
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
	c := counting{Dialect: d, Settle: settle}
	if d.KeepsSums() {
		c.Epochs = "latest"
	}
	return View{
		Name:        "reconciliation",
		Description: "What became of the accepted events of each day, source, event and tracker.",
		Select:      c.sql("reconciliation.sql"),
		Columns:     reconciliationColumns,
	}
}

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
