package amplitude

import (
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const identifyEvent = "$identify"

// appendUserProperties sets a user's properties beside an event.
func appendUserProperties(b []byte, properties []event.Property) []byte {
	if properties = plain(properties); len(properties) == 0 {
		return b
	}
	return appendObject(tracker.AppendName(b, "user_properties"), properties, 1)
}

// plain leaves out the properties that $identify would take for operations.
func plain(properties []event.Property) []event.Property {
	operation := func(p event.Property) bool { return strings.HasPrefix(p.Name, "$") }
	if !slices.ContainsFunc(properties, operation) {
		return properties
	}
	return slices.DeleteFunc(slices.Clone(properties), operation)
}

// appendOperations writes what $identify does: it sets the user's properties and
// the campaign and referrer of this visit, and those of the first one once, under
// the names of Amplitude's own browser SDK.
func appendOperations(b []byte, ev *event.Event) []byte {
	visit := func(prefix string, except []event.Property) (list []event.Property) {
		add := func(name, value string) {
			named := func(p event.Property) bool { return p.Name == name }
			if value != "" && !slices.ContainsFunc(except, named) {
				list = append(list, event.Property{Name: prefix + name, Value: event.StringValue(value)})
			}
		}
		campaign(ev.Page.URL, add)
		add(pageReferrer, ev.Page.Referrer)
		return list
	}
	own := plain(ev.UserProperties)
	b = append(b, '{')
	for _, operation := range [...]struct {
		name       string
		properties []event.Property
	}{{"$set", append(slices.Clip(own), visit("", own)...)}, {"$setOnce", visit("initial_", nil)}} {
		if len(operation.properties) > 0 {
			b = appendObject(tracker.AppendName(b, operation.name), operation.properties, 2)
		}
	}
	return append(b, '}')
}
