package warehouse

import (
	"fmt"
	"strings"
	"time"
)

// ValueKind is what kind of JSON value a property has in an event.
type ValueKind string

// The kinds. Null counts as absent.
const (
	KindText      ValueKind = "text" // a string that is no timestamp
	KindTimestamp ValueKind = "timestamp"
	KindInteger   ValueKind = "integer"
	KindNumber    ValueKind = "number" // with a fraction or an exponent
	KindBoolean   ValueKind = "boolean"
	KindObject    ValueKind = "object"
	KindArray     ValueKind = "array"
)

// ValueKinds are the kinds, in the order of ValueKindsQuery's columns.
func ValueKinds() []ValueKind {
	return []ValueKind{KindText, KindTimestamp, KindInteger, KindNumber, KindBoolean, KindObject, KindArray}
}

// ValueKindsQuery counts, for each event name, how many events of a day have a
// value of each kind as each of the properties. It reads so many usable events that
// are no duplicates at most. Its columns: the event, how many events, and for each
// property a count for each of ValueKinds.
func ValueKindsQuery(d Dialect, day time.Time, events int, properties []string) string {
	paths := make([]Path, len(properties))
	for i, property := range properties {
		paths[i] = Path{"properties", property}
	}
	inner, text, value := d.Extract(paths, paths)
	var kinds, counts []string
	for i := range properties {
		kinds = append(kinds, kindOf(d, value(i), text(i))+fmt.Sprintf(" as k%d", i))
		for _, kind := range ValueKinds() {
			counts = append(counts, fmt.Sprintf("count(case when k%d = %s then 1 end) as k%[1]d_%[3]s", i, d.Literal(string(kind)), kind))
		}
	}
	return fmt.Sprintf(`select event, count(*) as n, %s
from (
  select event, %s
  from (select event, data, %s from (%s) as e) as r
) as k group by event`, strings.Join(counts, ", "), strings.Join(kinds, ", "), inner, usableOf(d, day, events))
}

// kindOf is the kind of a JSON value, which has this text. A timestamp is one of RFC
// 3339, as the lanes read it; casts take more.
func kindOf(d Dialect, value, text string) string {
	value = d.Text(value)
	literals := map[ValueKind]string{}
	for _, kind := range ValueKinds() {
		literals[kind] = d.Literal(string(kind))
	}
	return fmt.Sprintf(`case substr(%[1]s, 1, 1) when '{' then %[2]s when '[' then %[3]s when 't' then %[4]s when 'f' then %[4]s when 'n' then null
    when '"' then case when %[5]s is not null and %[10]s like '____-__-__T__:__:__%%' and (%[10]s like '%%Z' or %[10]s like '%%+__:__' or %[10]s like '%%-__:__') then %[7]s else %[6]s end
    else case when %[1]s is null then null when %[1]s like '%%.%%' or lower(%[1]s) like '%%e%%' then %[8]s else %[9]s end end`,
		value, literals[KindObject], literals[KindArray], literals[KindBoolean], d.Typed(text, TypeTimestamp),
		literals[KindText], literals[KindTimestamp], literals[KindNumber], literals[KindInteger], text)
}

// usableOf reads the names and data of so many usable events of a day.
func usableOf(d Dialect, day time.Time, events int) string {
	return fmt.Sprintf("select event, coalesce(translated, data) as data from %s as r where usable and not duplicate and day = cast(%s as date) limit %d",
		d.Days("raw"), d.Literal(day.Format(time.DateOnly)), events)
}

// PropertyNamer is a Dialect that can list the properties that events have.
type PropertyNamer interface {
	// PropertyNames expands to one row for each name of the properties of the JSON
	// object in the column data.
	PropertyNames() string
}

// PropertyNamesQuery counts, for the events that ValueKindsQuery reads, which
// properties they have: event, name, count, the most frequent first. It returns so
// many rows at most, and "" if the dialect cannot say it.
func PropertyNamesQuery(d Dialect, day time.Time, events, rows int) string {
	namer, ok := d.(PropertyNamer)
	if !ok {
		return ""
	}
	return fmt.Sprintf("select event, name, count(*) as n from (select event, %s as name from (%s) as e) as p group by event, name order by n desc, event, name limit %d",
		namer.PropertyNames(), usableOf(d, day, events), rows)
}
