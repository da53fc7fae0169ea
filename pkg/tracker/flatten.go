package tracker

import (
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// maxFlatDepth is how deep objects are flattened. Deeper ones become their JSON text,
// so that the flat form of an event is never much larger than the event.
const maxFlatDepth = 16

// Flattener turns nested properties into a flat list of strings and numbers, for
// vendors that take nothing else.
//
// The names of a nested object's properties begin with the object's name. An array
// becomes one string of its elements; elements that are objects or arrays are written
// as JSON. Booleans become "true" and "false". Null, empty strings and empty arrays
// are left out. Numbers keep the digits that the client wrote.
type Flattener struct {
	Separator string // between the names of nested objects: "." or "_"
	Joiner    string // between the elements of an array: "," or "||"
}

// Append appends the flat form of fields to flat. The properties of one object
// come before those of the objects nested in it, each in the client's order.
func (f Flattener) Append(flat, fields []event.Property) []event.Property {
	return f.append(flat, "", fields, 0)
}

func (f Flattener) append(flat []event.Property, prefix string, fields []event.Property, depth int) []event.Property {
	nested := func(v *event.Value) bool {
		return v.Kind == event.Object && (depth < maxFlatDepth || len(v.Fields) == 0)
	}
	for i := range fields {
		v := &fields[i].Value
		if nested(v) {
			continue
		}
		flatKind := event.String
		if v.Kind == event.Number {
			flatKind = event.Number
		}
		if text := f.Text(*v); text != "" {
			flat = append(flat, event.Property{Name: prefix + fields[i].Name, Value: event.Value{Kind: flatKind, Text: text}})
		}
	}
	for i := range fields {
		if v := &fields[i].Value; nested(v) {
			flat = f.append(flat, prefix+fields[i].Name+f.Separator, v.Fields, depth+1)
		}
	}
	return flat
}

// Text returns a value as one string, as Append does; "" for null.
func (f Flattener) Text(v event.Value) string {
	switch v.Kind {
	case event.Null:
		return ""
	case event.String, event.Number:
		return v.Text
	case event.True:
		return "true"
	case event.False:
		return "false"
	case event.Array:
		var b []byte
		for i := range v.Items {
			if v.Items[i].Kind == event.Null {
				continue
			}
			if len(b) > 0 {
				b = append(b, f.Joiner...)
			}
			if v.Items[i].Kind == event.String {
				b = append(b, v.Items[i].Text...)
			} else {
				b = v.Items[i].AppendJSON(b)
			}
		}
		return string(b)
	default:
		return string(v.AppendJSON(nil))
	}
}

// Rename gives each property the name that a vendor takes, and leaves out those
// that have none (""). The result is as SortUnique's.
func Rename(properties []event.Property, name func(string) string) []event.Property {
	for i := range properties {
		properties[i].Name = name(properties[i].Name)
	}
	properties = SortUnique(properties)
	if len(properties) > 0 && properties[0].Name == "" {
		properties = properties[1:]
	}
	return properties
}

// SortUnique sorts properties by name and keeps the first of each name. So the
// properties that a vendor's limit leaves out do not depend on the order in which
// the client wrote them. It works in place and returns the shorter slice.
func SortUnique(properties []event.Property) []event.Property {
	slices.SortStableFunc(properties, func(a, b event.Property) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(properties, func(a, b event.Property) bool { return a.Name == b.Name })
}
