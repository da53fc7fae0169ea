package event

// Decision is what plan, consent, filters and sanitizer say of one record for
// one tracker, before the tracker translates it.
type Decision struct {
	// Outcome is Pending when the event may be sent, else Filtered or Rejected.
	Outcome Outcome
	// Reason says why it may not, for people; "" when it may.
	Reason string
	// Name is the event's own name, by which counts are kept: the plan's name
	// where a vendor calls it differently, "" for a record that is no event.
	Name string
	// Findings is what the sanitizer removed; at most one for each property and kind.
	Findings []Finding
}

// Finding is personal data or a secret that the sanitizer removed from a property.
type Finding struct {
	Property string // "properties.note", "page.url"
	Kind     string // "email", "card", ...
}
