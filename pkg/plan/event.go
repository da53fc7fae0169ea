package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Event is what the plan says about one event. It must not be changed.
type Event struct {
	Description string
	// Properties are those that may be sent, by the client's name.
	Properties map[string]*Property
	// Trackers are those that get the event; nil means all of them.
	Trackers []string
	// Consent lists the purposes that the visitor must have agreed to, all of them.
	Consent []string
	// Names are the event's names at vendors, by tracker, where they differ.
	Names map[string]string

	required []string
}

// RoutedTo reports whether the tracker gets the event.
func (e *Event) RoutedTo(tracker string) bool {
	return e.Trackers == nil || slices.Contains(e.Trackers, tracker)
}

// MissingConsent is the first purpose that the event needs and the visitor did not
// agree to, or "". A purpose that the client does not mention counts as not agreed to.
func (e *Event) MissingConsent(given map[string]bool) string {
	for _, purpose := range e.Consent {
		if !given[purpose] {
			return purpose
		}
	}
	return ""
}

// Required are the names of the properties without which the event is not
// sent, sorted.
func (e *Event) Required() []string { return e.required }

// Type is the type of a property's values.
type Type string

// The types. Null is a value of Any only; elsewhere it counts as absent.
const (
	String    Type = "string"
	Number    Type = "number"
	Integer   Type = "integer" // a number's literal without fraction and exponent
	Boolean   Type = "boolean"
	Timestamp Type = "timestamp" // a string, RFC 3339
	Object    Type = "object"
	Array     Type = "array"
	Any       Type = "any"
)

var types = []string{
	string(String), string(Number), string(Integer), string(Boolean),
	string(Timestamp), string(Object), string(Array), string(Any),
}

// Property is what the plan says about one property. It must not be changed.
type Property struct {
	Type        Type
	Description string
	// Required: without it the event is not sent. Only of an event's own properties.
	Required bool
	// Values are the strings that are allowed, or the numbers in their shortest
	// form, as JavaScript writes them (1.1, not 1.10); nil means any.
	Values []string
	// Allow are the kinds of findings that the sanitizer does not remove, also
	// from parts of the value.
	Allow []string
	// Of is what the elements of an array must be; nil means anything.
	Of *Property
	// Properties are the members of an object that may be sent; nil means all.
	Properties map[string]*Property
}

// Fault says what is wrong with a property's value.
type Fault string

// The faults: the kinds under which they are counted.
const (
	Sound      Fault = ""
	WrongType  Fault = "type"
	WrongValue Fault = "value" // not one of the values that the plan lists
)

// Filter reduces a value to what the plan allows of it. A value of the wrong type, or
// not among the allowed ones, is not sent: ok is false. From an object or array it
// removes the members or elements that are not allowed. fault is the first fault that
// was found. Null is no fault and is not sent, except as Any. Filter reuses the
// value's slices.
func (p *Property) Filter(v event.Value) (out event.Value, fault Fault, ok bool) {
	if v.Kind == event.Null {
		return v, Sound, p.Type == Any
	}
	if !p.Type.matches(v) {
		return event.Value{}, WrongType, false
	}
	switch {
	case p.Values != nil && !slices.Contains(p.Values, v.Text):
		return event.Value{}, WrongValue, false
	case p.Properties != nil:
		v.Fields, fault = filter(v.Fields, p.field)
	case p.Of != nil:
		v.Items, fault = filter(v.Items, p.Of.Filter)
	}
	return v, fault, true
}

// field is Filter for a member of an object.
func (p *Property) field(f event.Property) (event.Property, Fault, bool) {
	inner, planned := p.Properties[f.Name]
	if !planned {
		return f, Sound, false
	}
	v, fault, ok := inner.Filter(f.Value)
	return event.Property{Name: f.Name, Value: v}, fault, ok
}

// filter reduces a list to what allow keeps, in place, and returns the first fault.
func filter[E any](list []E, allow func(E) (E, Fault, bool)) ([]E, Fault) {
	kept, first := list[:0], Sound
	for _, e := range list {
		e, fault, ok := allow(e)
		if ok {
			kept = append(kept, e)
		}
		first = cmp.Or(first, fault)
	}
	return kept, first
}

func (t Type) matches(v event.Value) bool {
	switch t {
	case String:
		return v.Kind == event.String
	case Number:
		return v.Kind == event.Number
	case Integer:
		return v.Kind == event.Number && isInteger(v.Text)
	case Boolean:
		return v.Kind == event.True || v.Kind == event.False
	case Timestamp:
		var at time.Time
		return v.Kind == event.String && len(v.Text) <= 64 && at.UnmarshalText([]byte(v.Text)) == nil
	case Object:
		return v.Kind == event.Object
	case Array:
		return v.Kind == event.Array
	}
	return t == Any
}

func isInteger(literal string) bool {
	digits := strings.TrimPrefix(literal, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}
