package plan

import "slices"

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

// Context says what may be sent beside properties.
type Context struct {
	Page      bool `yaml:"page"` // URL, path, referrer and title
	Screen    bool `yaml:"screen"`
	Locale    bool `yaml:"locale"`
	SessionID bool `yaml:"sessionId"`
	UserAgent bool `yaml:"userAgent"`
	IP        bool `yaml:"ip"`
}
