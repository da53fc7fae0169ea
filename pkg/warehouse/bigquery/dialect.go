package bigquery

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Dialect is BigQuery's SQL for the views of a dataset.
type Dialect struct {
	// Project and Dataset qualify the tables' names; empty for none.
	Project, Dataset string
}

var _ warehouse.Dialect = Dialect{}

// Table is the table's name with its project and dataset, in backticks.
func (d Dialect) Table(name string) string {
	if d.Dataset == "" {
		return d.Quote(name)
	}
	return d.Quote(d.Project + "." + d.Dataset + "." + name)
}

// Days is what commits cover of the table, of the days that a journal can still
// hold: what waits is among these. The filter on the column that partitions the
// table has a constant, so that older partitions are not read. day is taken from
// that column, for a user's filter on it to have the same effect.
func (d Dialect) Days(name string) string {
	const since = "timestamp_sub(current_timestamp(), interval %d day)"
	recent := fmt.Sprintf(since, int(lookBack.Hours()/24))
	positions := d.Table("positions")
	if name == rawTable.name {
		return fmt.Sprintf(`(select v.* except (day), date(v.%[1]s) as day from %[2]s as v
    join %[3]s as c on c.stream = 'events' and c.epoch = v.epoch and (v.seq < c.seq or (v.seq = c.seq and v.idx < c.idx))
    where v.%[1]s >= %[4]s)`, d.Quote(rawTable.day), d.Table(name), positions, recent)
	}
	return fmt.Sprintf(`(select v.* from %s as v join %s as c on c.stream = 'outcomes' and c.epoch = v.reportEpoch and v.reportSeq < c.seq
    where v.day >= date(%s))`, d.Table(name), positions, recent)
}

// Quote is an identifier in backticks.
func (Dialect) Quote(identifier string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`", "\n", "\\n", "\r", "\\r").Replace(identifier) + "`"
}

// Literal is a string in single quotes.
func (Dialect) Literal(s string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'", "\n", "\\n", "\r", "\\r").Replace(s) + "'"
}

// Text casts to STRING.
func (Dialect) Text(expr string) string { return "cast(" + expr + " as string)" }

// Extract reads each member by its path from the data. Halves of surrogate pairs
// are replaced first: BigQuery refuses them.
func (d Dialect) Extract(texts, values []warehouse.Path) (inner string, text, value func(i int) string) {
	inner = fmt.Sprintf(`if(regexp_contains(data, r'\\u[dD][89a-fA-F]'), %s, data) as doc`, withoutHalfPairs("data"))
	text = func(i int) string {
		scalar, whole := d.member(texts[i])
		if len(texts[i]) == 1 {
			return scalar
		}
		// json_value knows strings, numbers and booleans only.
		return fmt.Sprintf(`if(%[2]s like '"%%', %[1]s, %[2]s)`, scalar, whole)
	}
	value = func(i int) string {
		_, whole := d.member(values[i])
		return whole
	}
	return inner, text, value
}

// member is a member of the document: its text, if it is a scalar, and its JSON.
// A member that no path can name is read from the parsed document, which rounds
// numbers that a FLOAT64 cannot hold.
func (d Dialect) member(path warehouse.Path) (scalar, whole string) {
	if named, ok := jsonPath(path); ok {
		named = d.Literal(named)
		return fmt.Sprintf("json_value(r.doc, %s)", named), fmt.Sprintf("json_query(r.doc, %s)", named)
	}
	parsed := "safe.parse_json(r.doc, wide_number_mode => 'round')"
	for _, name := range path {
		parsed += "[" + d.Literal(name) + "]"
	}
	return fmt.Sprintf("json_value(%s)", parsed), fmt.Sprintf("nullif(to_json_string(%s), 'null')", parsed)
}

// withoutHalfPairs replaces halves of surrogate pairs by U+FFFD, which is how the
// lanes read them. First it replaces escaped backslashes, because a u after one
// begins no escape (JSON within JSON has these), and then whole pairs, by control
// characters, which JSON text cannot contain. At the end it restores both.
func withoutHalfPairs(expr string) string {
	const (
		high = `[dD][89abAB][0-9a-fA-F]{2}`
		low  = `[dD][c-fC-F][0-9a-fA-F]{2}`
	)
	aside := fmt.Sprintf(`regexp_replace(replace(%s, r'\\', '\x04'), r'\\u(%s)\\u(%s)', '\x01\\1\x02\\2\x03')`, expr, high, low)
	alone := fmt.Sprintf(`regexp_replace(%s, r'\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\ufffd')`, aside)
	return fmt.Sprintf(`replace(replace(replace(replace(%s, '\x01', r'\u'), '\x02', r'\u'), '\x03', ''), '\x04', r'\\')`, alone)
}

// unwritable matches a name with a backslash at its end or before a double quote.
var unwritable = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*\\(?:"|$)`)

// jsonPath is a path in JSONPath with every name in double quotes. Within them
// only the double quote itself is escaped, by a backslash; two backslashes are a
// pair, and one before anything else stands for itself. So there is no way to
// write an unwritable name: not ok (GoogleSQL's json_internal.cc).
func jsonPath(path warehouse.Path) (text string, ok bool) {
	text = "$"
	for _, name := range path {
		if unwritable.MatchString(name) {
			return "", false
		}
		text += `."` + strings.ReplaceAll(name, `"`, `\"`) + `"`
	}
	return text, true
}

// Typed casts text; what does not fit is NULL.
func (Dialect) Typed(text string, t warehouse.Type) string {
	switch t {
	case warehouse.TypeInteger:
		// NUMERIC bounds the digits as the contract says; BIGNUMERIC is what
		// tells an integer's column from a number's.
		return fmt.Sprintf("if(mod(safe_cast(%[1]s as numeric), 1) = 0, cast(safe_cast(%[1]s as numeric) as bignumeric), null)", text)
	case warehouse.TypeNumber:
		return fmt.Sprintf("safe_cast(%s as numeric)", text)
	case warehouse.TypeBoolean:
		return fmt.Sprintf("case when %[1]s like 'true' then true when %[1]s like 'false' then false end", text)
	case warehouse.TypeTimestamp:
		// A cast refuses more than six decimals, which clients with a clock of
		// nanoseconds send. The first safe matters only where text is no string.
		return fmt.Sprintf(`safe_cast(safe.regexp_replace(%s, r'(\.[0-9]{6})[0-9]+', '\\1') as timestamp)`, text)
	default:
		return text
	}
}

// EventTime is event.EventTime in SQL.
func (Dialect) EventTime(client, receivedAt, context string) string {
	sentAt := fmt.Sprintf("safe_cast(json_value(%s, '$.sentAt') as timestamp)", context)
	return fmt.Sprintf(`case
      when %[1]s is null or %[1]s = timestamp '0001-01-01 00:00:00+00' then %[2]s
      when abs(timestamp_diff(%[2]s, %[3]s, microsecond)) > %[4]d and timestamp_diff(%[1]s, %[3]s, microsecond) <= %[4]d
        then coalesce(safe.timestamp_add(%[1]s, interval timestamp_diff(%[2]s, %[3]s, microsecond) microsecond), %[2]s)
      when timestamp_diff(%[1]s, %[2]s, microsecond) > %[4]d then %[2]s
      else %[1]s end`, client, receivedAt, sentAt, event.MaxSkew.Microseconds())
}

// DayBefore counts back from the query's time.
func (Dialect) DayBefore(seconds int64) string {
	return fmt.Sprintf("date(timestamp_sub(current_timestamp(), interval %d second))", seconds)
}

// CountedDeliveries joins a delivery to its raw row, which is of the same day,
// only where it does not say source and event itself: an earlier release stored it.
func (d Dialect) CountedDeliveries() string { return countedDeliveries(d) }

func countedDeliveries(d warehouse.Dialect) string {
	return fmt.Sprintf(`(select day, source, event, tracker, outcome, reason, run, epoch, seq, idx from %[1]s as v where source is not null
    union all
    select v.day, w.source, w.event, v.tracker, v.outcome, v.reason, v.run, v.epoch, v.seq, v.idx
    from %[1]s as v join %[2]s as w on w.day = v.day and w.epoch = v.epoch and w.seq = v.seq and w.idx = v.idx where v.source is null and not w.duplicate)`,
		d.Days(deliveriesTable.name), d.Days(rawTable.name))
}

// KeepsSums says that Load keeps the sums.
func (Dialect) KeepsSums() bool { return true }

// SumReason is the reason up to its first colon.
func (Dialect) SumReason(reason string) string {
	return "coalesce(substr(regexp_extract(" + reason + ", r'^[^:]*'), 1, 100), '')"
}

// Div is NULL when the divisor is 0.
func (Dialect) Div(dividend, divisor string) string {
	return fmt.Sprintf("safe_divide(%s, %s)", dividend, divisor)
}
