package warehouse

import (
	"fmt"
	"strings"
)

// field is a column of the normalized events: where its value comes from, and how
// it is described.
type field struct {
	name, description string
	path              Path // of the member that holds the value; nil: expr says it
	kind              Type
	// expr makes the column of the member's text, or of columns of r.
	expr func(text string) string
}

// fields are those of raw_normalized. The columns of the plan come last.
func fields(d Dialect, columns []Column) []field {
	column := func(expr string) func(string) string { return func(string) string { return expr } }
	list := []field{
		{"event", "The event's name.", Path{"event"}, TypeString, func(text string) string {
			// The name that the loader read saves parsing the data, but for the
			// names that share a count.
			return fmt.Sprintf("case when r.event = %s then %s else r.event end", d.Literal(NameOther), text)
		}},
		{"deviceId", "The device, as the client names it.", Path{"deviceId"}, TypeString, nil},
		{"userId", "The user, if known.", Path{"userId"}, TypeString, nil},
		{"timestamp", "When it happened, UTC: the client's time, corrected when its clock is over 5 minutes off; the receipt time when it gave none.",
			Path{"timestamp"}, TypeString, func(text string) string {
				return d.EventTime(d.Typed(text, TypeTimestamp), "r.receivedAt", "r.context")
			}},
		{"receivedAt", "When it was received, UTC.", nil, TypeTimestamp, column("r.receivedAt")},
		{"eventId", "The client's id of the event, or one made at receipt.", nil, TypeString, column("r.eventId")},
		{"receipt", "The id by which the event is accounted for.", nil, TypeString, column("r.receipt")},
		{"source", "The source whose key was used.", nil, TypeString, column("r.source")},
	}
	for _, c := range columns {
		list = append(list, field{c.Name, columnDescription(c), Path{"properties", c.Property}, c.Type, nil})
	}
	return list
}

// NormalizedView is raw_normalized: one row for each usable event that is no
// duplicate, with a column for each property. An event in another format is read
// from its translation.
func NormalizedView(d Dialect, columns []Column) View {
	list := fields(d, columns)
	view := View{Name: "raw_normalized", Description: "One row an event; duplicates, malformed bodies and invalid events are left out."}
	view.Select = selectFields(d, list, nil, "")
	for _, f := range list {
		view.Columns = append(view.Columns, ViewColumn{Name: f.name, Description: f.description})
	}
	return view
}

// selectFields reads fields, and columns of raw as they are, from the rows r of
// raw that meet a condition, "" for all.
func selectFields(d Dialect, list []field, asStored []string, rows string) string {
	var texts, values []Path
	for _, f := range list {
		switch {
		case f.path == nil:
		case f.kind == TypeJSON:
			values = append(values, f.path)
		default:
			texts = append(texts, f.path)
		}
	}
	inner := ""
	var text, value func(i int) string
	if len(texts)+len(values) > 0 {
		inner, text, value = d.Extract(texts, values)
	}
	var selected []string
	stored := ""
	for _, name := range asStored {
		selected = append(selected, "r."+name+" as "+name)
		stored += ", " + name
	}
	texts, values = texts[:0], values[:0] // how many of each are selected already
	for _, f := range list {
		expr := ""
		switch {
		case f.path == nil:
			expr = f.expr("")
		case f.kind == TypeJSON:
			expr = value(len(values))
			values = values[:len(values)+1]
		default:
			expr = text(len(texts))
			texts = texts[:len(texts)+1]
			if f.expr != nil {
				expr = f.expr(expr)
			} else {
				expr = d.Typed(expr, f.kind)
			}
		}
		selected = append(selected, fmt.Sprintf("%s as %s", expr, d.Quote(f.name)))
	}
	if inner != "" {
		inner = ", " + inner
	}
	if rows != "" {
		rows = " and " + rows
	}
	return fmt.Sprintf(`select
  %s
from (
  select event, eventId, receipt, source, receivedAt, context, data%s%s
  from (
    select event, eventId, receipt, source, %s as receivedAt, context, coalesce(translated, data) as data%s
    from %s as r where usable and not duplicate%s
  ) as e
) as r`, strings.Join(selected, ",\n  "), inner, stored, d.Quote("timestamp"), stored, d.Table("raw"), rows)
}

func columnDescription(c Column) string {
	if c.Description == "" {
		return c.Property
	}
	return c.Property + ": " + c.Description
}
