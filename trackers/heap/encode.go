package heap

import (
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// encoder holds the buffers of one call of Requests. Its methods overwrite what
// they left there before.
type encoder struct {
	event []byte
	flat  []event.Property
}

func flattener() tracker.Flattener { return tracker.Flattener{Separator: ".", Joiner: "||"} }

// encode writes one element of the events array to e.event, or returns the rule
// that the event breaks.
func (e *encoder) encode(ev *event.Event, who identity, without string) (rule string) {
	name := strings.TrimSpace(ev.Name)
	switch {
	case name == "":
		return "name: empty"
	case ev.EventID == "":
		return "eventId: required; Heap drops repeats by it"
	case name == "pageview":
		name = "Page viewed" // the name that Segment's integration has made usual
	}
	b := tracker.AppendMember(append(e.event[:0], '{'), who.member, who.value)
	b = tracker.AppendText(tracker.AppendName(b, "event"), name, maxEventName)
	if !ev.Time.IsZero() {
		b = append(tracker.AppendName(b, "timestamp"), '"')
		b = ev.Time.AppendFormat(b, timeLayout)
		b = append(b, '"')
	}
	b = tracker.AppendMember(b, "idempotency_key", ev.EventID)
	b = append(b, `,"properties":{`...)
	b = e.appendProperties(b, ev, without)
	e.event = append(b, '}', '}')
	return ""
}

// appendProperties writes the event's properties by name, but for one, and what
// is known of page and browser where the event has no property so named.
func (e *encoder) appendProperties(b []byte, ev *event.Event, without string) []byte {
	e.flat = flattener().Append(e.flat[:0], ev.Properties)
	e.flat = appendContext(e.flat, ev)
	return appendFlat(b, e.flat, func(name string) string {
		if name == without {
			return ""
		}
		return tracker.Truncate(name, maxProperty)
	})
}

// appendFlat writes a flat list as the inside of an object, by Heap's names.
func appendFlat(b []byte, flat []event.Property, rename func(string) string) []byte {
	for _, p := range tracker.Rename(flat, rename) {
		switch {
		case p.Value.Text == "":
		case p.Value.Kind != event.Number:
			b = tracker.AppendText(tracker.AppendAnyName(b, p.Name), p.Value.Text, maxProperty)
		case len(p.Value.Text) <= maxProperty: // a number cut short would be wrong
			b = append(tracker.AppendAnyName(b, p.Name), p.Value.Text...)
		}
	}
	return b
}

// appendContext comes after the event's own properties, so that SortUnique
// prefers those.
func appendContext(flat []event.Property, ev *event.Event) []event.Property {
	for _, p := range [...]struct{ name, value string }{
		{"url", ev.Page.URL},
		{"path", ev.Page.Path},
		{"referrer", ev.Page.Referrer},
		{"title", ev.Page.Title},
		{"locale", ev.Locale},
		{"screen", ev.Screen.String()},
	} {
		if p.value != "" {
			flat = append(flat, event.Property{Name: p.name, Value: event.StringValue(p.value)})
		}
	}
	return flat
}
