package warehouse

import (
	"fmt"
	"strings"
)

// The members of an event that have a column of their own, in the order in
// which NormalizedView extracts them.
const (
	memberEvent = iota
	memberDevice
	memberUser
	memberTimestamp
	memberCount
)

// NormalizedView is raw_normalized: one row for each usable event that is no
// duplicate, with a column for each property. An event in another format is read
// from its translation.
func NormalizedView(d Dialect, columns []Column) View {
	texts := make([]Path, memberCount, memberCount+len(columns))
	texts[memberEvent], texts[memberDevice], texts[memberUser], texts[memberTimestamp] =
		Path{"event"}, Path{"deviceId"}, Path{"userId"}, Path{"timestamp"}
	var values []Path
	place := make([]int, len(columns)) // of the column's member in texts or values
	for i, c := range columns {
		path := Path{"properties", c.Property}
		if c.Type == TypeJSON {
			place[i] = len(values)
			values = append(values, path)
		} else {
			place[i] = len(texts)
			texts = append(texts, path)
		}
	}
	inner, text, value := d.Extract(texts, values)

	view := View{Name: "raw_normalized", Description: "One row an event; duplicates, malformed bodies and invalid events are left out."}
	var sel strings.Builder
	add := func(expr, name, description string) {
		if len(view.Columns) > 0 {
			sel.WriteString(",\n  ")
		}
		fmt.Fprintf(&sel, "%s as %s", expr, d.Quote(name))
		view.Columns = append(view.Columns, ViewColumn{Name: name, Description: description})
	}
	// The name that the loader read saves parsing the data, but for the names
	// that share a count.
	add(fmt.Sprintf("case when r.event = %s then %s else r.event end", d.Literal(NameOther), text(memberEvent)), "event", "The event's name.")
	add(text(memberDevice), "deviceId", "The device, as the client names it.")
	add(text(memberUser), "userId", "The user, if known.")
	add(d.EventTime(d.Typed(text(memberTimestamp), TypeTimestamp), "r.receivedAt", "r.context"), "timestamp",
		"When it happened, UTC: the client's time, corrected when its clock is over 5 minutes off; the receipt time when it gave none.")
	add("r.receivedAt", "receivedAt", "When it was received, UTC.")
	add("r.eventId", "eventId", "The client's id of the event, or one made at receipt.")
	add("r.receipt", "receipt", "The id by which the event is accounted for.")
	add("r.source", "source", "The source whose key was used.")
	for i, c := range columns {
		expr := ""
		if c.Type == TypeJSON {
			expr = value(place[i])
		} else {
			expr = d.Typed(text(place[i]), c.Type)
		}
		add(expr, c.Name, columnDescription(c))
	}
	if inner != "" {
		inner = ", " + inner
	}
	quoted := d.Quote("timestamp")
	view.Select = fmt.Sprintf(`select
  %s
from (
  select event, eventId, receipt, source, receivedAt, context, data%s
  from (
    select event, eventId, receipt, source, %s as receivedAt, context, coalesce(translated, data) as data
    from %s where usable and not duplicate
  ) as e
) as r`, sel.String(), inner, quoted, d.Table("raw"))
	return view
}

func columnDescription(c Column) string {
	if c.Description == "" {
		return c.Property
	}
	return c.Property + ": " + c.Description
}
