package segment

import (
	"math"
	"slices"
	"strconv"
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

// layouts are the ISO 8601 times that SDKs and people write, with or without a zone.
var layouts = [...]string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04", time.DateOnly,
}

// timestamp is a message's time as an event has it, null for none. What cannot be
// read stays as it is: event.Inspect says what is wrong with it.
func timestamp(given event.Value) event.Value {
	t, ok := timeOf(given)
	if given.Text == "" || ok && t.IsZero() { // Go's SDKs write the zero time
		return event.Value{}
	}
	if !ok || t.Year() < 1 || t.Year() > 9999 { // beyond what RFC 3339 can express
		return given
	}
	return event.StringValue(t.Format(time.RFC3339Nano))
}

// timeOf reads a time, in UTC: a text, or seconds or milliseconds since 1970.
func timeOf(given event.Value) (t time.Time, ok bool) {
	const (
		longest      = 64
		milliseconds = 100_000_000_000 // as seconds this is the year 5138
	)
	switch {
	case len(given.Text) > longest:
	case given.Kind == event.Number:
		n, err := strconv.ParseFloat(given.Text, 64)
		if err != nil || math.Abs(n) > 1e15 {
			return time.Time{}, false
		}
		if math.Abs(n) < milliseconds {
			n *= 1000
		}
		return time.UnixMicro(int64(math.Round(n * 1000))).UTC(), true
	case given.Kind == event.String:
		text := given.Text
		if day := len(time.DateOnly); len(text) > day && text[day] == ' ' {
			text = text[:day] + "T" + text[day+1:]
		}
		for _, layout := range layouts {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), true
			}
		}
	}
	return time.Time{}, false
}
