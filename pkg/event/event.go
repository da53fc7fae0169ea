package event

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Event is the parsed form of a record. A tracker gets it reduced to what the plan
// allows, and sanitised: it may send all of it, and must not change it.
type Event struct {
	Receipt Receipt
	EventID string // the same in every retry and replay: the key for vendors that drop duplicates

	Name     string // the plan's name for this vendor, or the event's own
	DeviceID string
	UserID   string // "" for an anonymous event

	Time       time.Time // when it happened; see EventTime
	TimeFault  TimeFault // why Time is not the client's
	ReceivedAt time.Time

	Properties     []Property // in the client's order; names are unique
	UserProperties []Property

	Page      Page
	Screen    Screen
	Locale    string
	SessionID string
	UserAgent string
	IP        string // cut as configured; "" unless the plan allows it
	Consent   map[string]bool
}

// Page is the page an event happened on.
type Page struct {
	URL, Path, Referrer, Title string
}

// Screen is the size of the visitor's screen in CSS pixels; zero when unknown.
type Screen struct {
	Width, Height int
}

// String is "1440x900", or "" when the size is unknown.
func (s Screen) String() string {
	if s.Width <= 0 || s.Height <= 0 {
		return ""
	}
	return strconv.Itoa(s.Width) + "x" + strconv.Itoa(s.Height)
}

// Property is a named value of an event.
type Property struct {
	Name  string
	Value Value
}

// Kind says which of a Value's fields has its content.
type Kind uint8

// The kinds of JSON value.
const (
	Null Kind = iota
	False
	True
	Number // Text is the literal as the client wrote it
	String // Text is the decoded string
	Array  // Items
	Object // Fields
)

// Value is a JSON value that keeps numbers as the client wrote them. The zero
// Value is null.
type Value struct {
	Kind   Kind
	Text   string
	Items  []Value
	Fields []Property
}

// StringValue is a string as a Value.
func StringValue(s string) Value { return Value{Kind: String, Text: s} }

// NumberValue is a number, given as a JSON literal, as a Value.
func NumberValue(literal string) Value { return Value{Kind: Number, Text: literal} }

// BoolValue is a boolean as a Value.
func BoolValue(b bool) Value {
	if b {
		return Value{Kind: True}
	}
	return Value{Kind: False}
}

// Lookup finds a property of the event by name.
func (e *Event) Lookup(name string) (Value, bool) { return Lookup(e.Properties, name) }

// Lookup finds the first property of a list, such as the members of an object, by
// name.
func Lookup(list []Property, name string) (Value, bool) {
	for i := range list {
		if list[i].Name == name {
			return list[i].Value, true
		}
	}
	return Value{}, false
}

// Decision is the result of plan, consent, filters and sanitizer for one record and
// one tracker, before the tracker translates the event.
type Decision struct {
	// Outcome is Pending when the event may be sent, else Filtered or Rejected.
	Outcome Outcome
	// Reason says why it may not, for people; "" when it may.
	Reason string
	// Name is the event's own name, also where the vendor has another name for it.
	// Counts use it. It is "" for a record that is not an event.
	Name string
	// Findings is what the sanitizer removed; at most one for each property and kind.
	Findings []Finding
}

// Finding is personal data or a secret that the sanitizer removed from a property.
type Finding struct {
	Property string // "properties.note", "page.url"
	Kind     string // "email", "card", ...
}

// Truncate shortens s to at most limit bytes, without cutting a character in two.
func Truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
