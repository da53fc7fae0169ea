package plan

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
)

// Column is a column of the view raw_normalized with one property of
// events.
type Column struct {
	Name        string // letters, digits and underscores; unique in any letter case
	Property    string // the original name, as clients write it
	Type        string // string, number, integer, boolean, timestamp or json
	Description string // "" when no event describes the property
}

// maxColumn is the longest name of a column, in bytes (BigQuery's limit).
const maxColumn = 300

// reserved are the columns that the tables and views have of their own, in
// lower case.
var reserved = []string{
	"event", "deviceid", "userid", "timestamp", "receivedat", "eventid", "receipt", "source", "day",
}

// reservedPrefixes are refused by BigQuery, in any letter case.
var reservedPrefixes = []string{"_partition", "_table_", "_file_", "_row_timestamp", "__root__", "_colidentifier", "_change_"}

// Columns are the properties of all events, merged by name and sorted by it.
func (p *Plan) Columns() []Column { return slices.Clone(p.columns) }

// columns merges the properties of all events. Properties that cannot share a column
// are a fault of the later event.
func (b *builder) columns(p *Plan, nodes map[string]strictyaml.Node) []Column {
	type owner struct {
		column Column
		event  string
	}
	byProperty := map[string]*owner{}
	byName := map[string]*owner{}
	for _, name := range p.Events() {
		properties := p.events[name].Properties
		for _, property := range slices.Sorted(maps.Keys(properties)) {
			c := Column{SafeName(property), property, columnType(properties[property].Type), properties[property].Description}
			if first := byProperty[property]; first != nil {
				if first.column.Type != c.Type {
					b.fault(nodes[name], "event %q: property %q is of type %s here and %s in event %q: give one of them another name", name, property, c.Type, first.column.Type, first.event)
				}
				if first.column.Description == "" {
					first.column.Description = c.Description
				}
				continue
			}
			key := strings.ToLower(c.Name)
			if why := reservedName(key); why != "" {
				b.fault(nodes[name], "event %q: property %q: its column %s is %s: give it another name", name, property, c.Name, why)
			}
			if other := byName[key]; other != nil {
				b.fault(nodes[name], "event %q: property %q has the same column as %q of event %q (%s, in any letter case): give one of them another name", name, property, other.column.Property, other.event, key)
			}
			o := &owner{c, name}
			byProperty[property], byName[key] = o, o
		}
	}
	if len(byProperty) > MaxProperties {
		b.fault(strictyaml.Node{}, "%d properties over all events; %d at most", len(byProperty), MaxProperties)
	}
	list := make([]Column, 0, len(byProperty))
	for _, property := range slices.Sorted(maps.Keys(byProperty)) {
		list = append(list, byProperty[property].column)
	}
	return list
}

func reservedName(lower string) string {
	if slices.Contains(reserved, lower) {
		return "one of Sparrow's own"
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(lower, prefix) {
			return "reserved by warehouses"
		}
	}
	return ""
}

func columnType(t Type) string {
	switch t {
	case Object, Array, Any:
		return "json"
	}
	return string(t)
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9_]`)

// SafeName makes a column's name from a property's: everything but ASCII letters,
// digits and the underscore becomes an underscore, a leading digit gets one before it,
// and the result is cut to 300 bytes.
func SafeName(property string) string {
	name := unsafeInName.ReplaceAllLiteralString(property, "_")
	if name != "" && '0' <= name[0] && name[0] <= '9' {
		name = "_" + name
	}
	return name[:min(len(name), maxColumn)]
}
