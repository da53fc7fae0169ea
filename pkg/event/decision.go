package event

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
