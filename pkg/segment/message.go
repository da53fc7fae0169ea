package segment

import (
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// object is an object of the API (a message, its context, its traits), or of the
// event that is made of it.
type object []event.Property

// get returns a member; null when there is none.
func (o object) get(name string) event.Value {
	v, _ := event.Lookup(o, name)
	return v
}

// child returns a member that is an object; an empty one otherwise.
func (o object) child(name string) object {
	return o.get(name).Fields // other kinds have no fields
}

// text returns a member that is a string, "" otherwise.
func (o object) text(name string) string {
	if v := o.get(name); v.Kind == event.String {
		return v.Text
	}
	return ""
}

// id returns a member that is a string, or the digits of a number.
func (o object) id(name string) string {
	if v := o.get(name); v.Kind == event.String || v.Kind == event.Number {
		return v.Text
	}
	return ""
}

// set adds a member, unless it is null or there already: the first value counts.
func (o *object) set(name string, v event.Value) {
	if _, found := event.Lookup(*o, name); !found && v.Kind != event.Null {
		*o = append(slices.Clip(*o), event.Property{Name: name, Value: v})
	}
}

// setText adds a text, unless it is empty or there already.
func (o *object) setText(name, text string) {
	if text != "" {
		o.set(name, event.StringValue(text))
	}
}

// setObject adds an object, unless it is empty or there already.
func (o *object) setObject(name string, inner object) {
	if len(inner) > 0 {
		o.set(name, event.Value{Kind: event.Object, Fields: inner})
	}
}

// message is a message of the API.
type message struct{ object }

// names are the events that the kinds of message become; a track has its own name.
var names = map[string]string{
	"track": "", "page": "pageview", "screen": "screen", "identify": "identify", "group": "group", "alias": "alias",
}

// kind is the message's type, or what the path says; "" when there is no such kind.
func (m message) kind(path string) string {
	kind := m.text("type")
	if kind == "" {
		kind = path
	}
	if _, known := names[kind]; !known {
		return ""
	}
	return kind
}

// layouts are the ISO 8601 times that SDKs write.
var layouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", time.DateOnly}

// timeOf reads a time, in UTC; false when the value is not a time that RFC 3339 can
// express.
func timeOf(v event.Value) (time.Time, bool) {
	const longest = 64
	if v.Kind != event.String || len(v.Text) > longest {
		return time.Time{}, false
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, v.Text); err == nil {
			t = t.UTC()
			return t, t.Year() >= 1 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}
