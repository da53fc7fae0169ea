package duckdb

import (
	"fmt"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Dialect is DuckDB's SQL for the views. It needs no cgo.
type Dialect struct{}

var (
	_ warehouse.Dialect       = Dialect{}
	_ warehouse.PropertyNamer = Dialect{}
)

// Table is the table's name: there is one database and one schema.
func (d Dialect) Table(name string) string { return name }

// Days is the table: DuckDB leaves out what cannot hold a day by itself.
func (d Dialect) Days(name string) string { return d.Table(name) }

// Quote is an identifier in double quotes.
func (Dialect) Quote(identifier string) string {
	return `"` + strings.ReplaceAll(identifier, `"`, `""`) + `"`
}

// Literal is a string in single quotes.
func (Dialect) Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Text casts to VARCHAR.
func (Dialect) Text(expr string) string { return "cast(" + expr + " as varchar)" }

// Extract reads all members in one parse of the data, into a list each of texts
// and JSON values.
func (d Dialect) Extract(texts, values []warehouse.Path) (inner string, text, value func(i int) string) {
	inner = d.list("json_extract_string", texts) + " as texts"
	if len(values) > 0 {
		inner += ", " + d.list("json_extract", values) + " as vals"
	}
	text = func(i int) string { return fmt.Sprintf("r.texts[%d]", i+1) }
	value = func(i int) string { return fmt.Sprintf("r.vals[%d]", i+1) }
	return inner, text, value
}

// list extracts members. Data that DuckDB's parser refuses, though it keeps our
// contract, has halves of surrogate pairs (browsers write these where text was
// cut within an emoji): it is read again with U+FFFD in their place, which is
// how the lanes read it.
func (d Dialect) list(function string, paths []warehouse.Path) string {
	pointers := make([]string, len(paths))
	for i, path := range paths {
		pointers[i] = d.Literal(pointer(path))
	}
	list := strings.Join(pointers, ", ")
	return fmt.Sprintf("coalesce(try(%[1]s(data, [%[2]s])), try(%[1]s(%[3]s, [%[2]s])))", function, list, mended("data"))
}

// mended replaces halves of surrogate pairs. Escaped backslashes are set aside
// first, for the u after one begins no escape (JSON within JSON has such); then
// whole pairs, between control characters that JSON does not hold.
func mended(expr string) string {
	const (
		high = `[dD][89abAB][0-9a-fA-F]{2}`
		low  = `[dD][c-fC-F][0-9a-fA-F]{2}`
	)
	aside := fmt.Sprintf(`regexp_replace(replace(%s, '\\', chr(4)), '\\u(%s)\\u(%s)', chr(1) || '\1' || chr(2) || '\2', 'g')`, expr, high, low)
	alone := fmt.Sprintf(`regexp_replace(%s, '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g')`, aside)
	return fmt.Sprintf(`replace(regexp_replace(%s, '\x01(.{4})\x02(.{4})', '\\u\1\\u\2', 'g'), chr(4), '\\')`, alone)
}

// pointer is a path as a JSON pointer (RFC 6901).
func pointer(path warehouse.Path) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var b strings.Builder
	for _, name := range path {
		b.WriteByte('/')
		b.WriteString(escape.Replace(name))
	}
	return b.String()
}

// Typed casts text; what does not fit is NULL, and so is what raises an error:
// it must fail no query of a view.
func (Dialect) Typed(text string, t warehouse.Type) string {
	if typed := casted(text, t); typed != text {
		return "try(" + typed + ")"
	}
	return text
}

func casted(text string, t warehouse.Type) string {
	switch t {
	case warehouse.TypeInteger:
		// A cast alone would round. Casts of text to wide decimals take ten times
		// as long as the others, so that most integers are spared them.
		return fmt.Sprintf(`case when regexp_full_match(%[1]s, '-?[0-9]{1,18}') then cast(try_cast(%[1]s as bigint) as hugeint)
    when try_cast(%[1]s as decimal(38,9)) %% 1 = 0 then try_cast(%[1]s as hugeint) end`, text)
	case warehouse.TypeNumber:
		return fmt.Sprintf("coalesce(cast(try_cast(%[1]s as decimal(18,9)) as decimal(38,9)), try_cast(%[1]s as decimal(38,9)))", text)
	case warehouse.TypeBoolean:
		return fmt.Sprintf("case %s when 'true' then true when 'false' then false end", text)
	case warehouse.TypeTimestamp:
		return fmt.Sprintf("timezone('UTC', try_cast(%s as timestamptz))", text)
	default:
		return text
	}
}

// PropertyNames implements warehouse.PropertyNamer.
func (Dialect) PropertyNames() string {
	return fmt.Sprintf("unnest(coalesce(try(json_keys(data, '/properties')), try(json_keys(%s, '/properties'))))", mended("data"))
}

// EventTime is event.EventTime in SQL. An error, such as a time beyond the calendar,
// gives the receipt: it would fail every load.
func (Dialect) EventTime(client, receivedAt, context string) string {
	sentAt := fmt.Sprintf("timezone('UTC', try_cast(json_extract_string(%s, '/sentAt') as timestamptz))", context)
	return fmt.Sprintf(`coalesce(try(case
      when %[1]s is null or %[1]s = timestamp '0001-01-01' then %[2]s
      when abs(epoch_us(%[2]s) - epoch_us(%[3]s)) > %[4]d and epoch_us(%[1]s) - epoch_us(%[3]s) <= %[4]d then %[1]s + (%[2]s - %[3]s)
      when epoch_us(%[1]s) - epoch_us(%[2]s) > %[4]d then %[2]s
      else %[1]s end), %[2]s)`, client, receivedAt, sentAt, event.MaxSkew.Microseconds())
}

// DayBefore counts back from the transaction's time.
func (Dialect) DayBefore(seconds int64) string {
	return fmt.Sprintf("cast(timezone('UTC', now()) - to_seconds(%d) as date)", seconds)
}

// CountedDeliveries needs no join: Load writes source and event beside each delivery.
func (Dialect) CountedDeliveries() string {
	return "(select day, source, event, tracker, outcome, reason, run, epoch, seq, idx from deliveries where source is not null)"
}

// KeepsSums says that Load keeps the table sums.
func (Dialect) KeepsSums() bool { return true }

// longestReason bounds a reason in sums, in characters.
const longestReason = 100

// SumReason is the reason up to its first colon.
func (Dialect) SumReason(reason string) string {
	return fmt.Sprintf("coalesce(left(split_part(%s, ':', 1), %d), '')", reason, longestReason)
}

// Div is a division of DOUBLEs.
func (Dialect) Div(dividend, divisor string) string {
	return fmt.Sprintf("cast(%s as double) / nullif(%s, 0)", dividend, divisor)
}
