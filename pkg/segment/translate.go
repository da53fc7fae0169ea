package segment

import (
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// translate writes the message as an event, without what the message lacks:
// event.Inspect decides whether the result is an event.
func (m message) translate(path string) []byte {
	kind := m.kind(path)
	var out object
	if kind == "track" {
		out.set("event", m.get("event"))
	} else {
		out.text("event", names[kind])
	}
	user := m.id("userId")
	out.text("deviceId", m.id("anonymousId"))
	out.text("deviceId", user)
	out.text("userId", user)
	out.text("eventId", m.id("messageId"))
	for _, name := range [...]string{"timestamp", "originalTimestamp"} {
		if t, ok := timeOf(m.get(name)); ok {
			out.text("timestamp", t.Format(time.RFC3339Nano))
		}
	}
	out.object("properties", m.properties(kind))
	out.object("userProperties", m.userProperties(kind))
	out.object("context", m.context(kind))
	return event.AppendObject(nil, out.fields)
}

// properties are the event's, by the kind of message.
func (m message) properties(kind string) object {
	out := object{fields: m.object("properties").fields}
	switch kind {
	case "page", "screen":
		out.text("name", m.text("name"))
		out.text("category", m.text("category"))
	case "identify":
		out = object{fields: m.traits().fields}
	case "group":
		out = object{fields: m.object("traits").fields}
		out.text("groupId", m.id("groupId"))
	case "alias":
		out.text("previousId", m.id("previousId"))
	}
	if kind == "page" {
		out.text("pathname", message(out).text("path"))
		out.text("pathname", m.object("context").object("page").text("path"))
	}
	return out
}

// traits are the user's. RudderStack's browser SDK sends those of an identify in the
// context.
func (m message) traits() message {
	if traits := m.object("traits"); len(traits.fields) > 0 {
		return traits
	}
	return m.object("context").object("traits")
}

func (m message) userProperties(kind string) object {
	if kind == "identify" {
		return object{fields: m.traits().fields}
	}
	return object{fields: m.object("context").object("traits").fields}
}

// context is the part of the message's context that an event has.
func (m message) context(kind string) object {
	from := m.object("context")
	var page, out object
	for _, name := range [...]string{"url", "path", "referrer", "title"} {
		page.text(name, from.object("page").text(name))
		if kind == "page" {
			page.text(name, m.object("properties").text(name))
		}
	}
	out.object("page", page)
	out.object("screen", object{fields: from.object("screen").fields})
	for _, name := range [...]string{"locale", "userAgent", "ip"} {
		out.text(name, from.text(name))
	}
	out.text("sessionId", from.id("sessionId"))
	out.object("consent", consent(from))
	return out
}

// maxPurposes bounds the purposes that are read from a list: no page has that many.
const maxPurposes = 256

// consent is what the visitor agreed to or not, in the forms of Segment's and
// RudderStack's consent managers.
func consent(context message) object {
	out := object{fields: context.object("consent").object("categoryPreferences").fields}
	manager := context.object("consentManagement")
	for _, list := range [...]struct {
		name  string
		given bool
	}{{"deniedConsentIds", false}, {"allowedConsentIds", true}} {
		items := manager.get(list.name).Items
		for _, id := range items[:min(len(items), maxPurposes)] {
			if id.Kind == event.String {
				out.set(id.Text, event.BoolValue(list.given))
			}
		}
	}
	return out
}

// object is an object that is being written. The first value of a name counts.
type object struct{ fields []event.Property }

// set adds a member, unless it is null or there already.
func (o *object) set(name string, v event.Value) {
	if _, found := event.Lookup(o.fields, name); found || v.Kind == event.Null {
		return
	}
	o.fields = append(o.fields[:len(o.fields):len(o.fields)], event.Property{Name: name, Value: v})
}

// text adds a text, unless it is empty or there already.
func (o *object) text(name, text string) {
	if text != "" {
		o.set(name, event.StringValue(text))
	}
}

// object adds an object, unless it is empty.
func (o *object) object(name string, inner object) {
	if len(inner.fields) > 0 {
		o.set(name, event.Value{Kind: event.Object, Fields: inner.fields})
	}
}
