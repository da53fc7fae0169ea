package trace

import (
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
)

// Explanation says what became of a record at a tracker, and of each of its
// properties.
type Explanation struct {
	Decision event.Decision
	// Event is what may leave; only where the decision's outcome is event.Pending.
	Event event.Event
	// Properties says by name ("properties.note", "page.url") what was done:
	// "allowed", "dropped: not in plan", "dropped: wrong type", "dropped: null",
	// "dropped: value not in plan", "sanitised: email, card", and of a user property
	// "dropped: nothing is left but [email]". Of ids and context
	// only what was sanitised is listed. Empty for an event that was stopped
	// before its properties were read.
	Properties map[string]string
}

// Explain does what Trace does and says what was done.
func (t *Tracer) Explain(rec *event.Record, tracker string) Explanation {
	e := Explanation{Properties: map[string]string{}}
	ev := evaluation{tracer: t, reduction: new(reduction), explain: &e}
	ev.run(rec, tracker)
	e.Decision = ev.forTracker(tracker, &e.Event)
	return e
}

// describe sets what was done with a property, for Explain.
func (ev *evaluation) describe(prefix, name, what string) {
	if ev.explain != nil {
		ev.explain.Properties[prefix+name] = what
	}
}

// dropped describes a property that does not leave, by its fault.
var dropped = map[plan.Fault]string{
	plan.WrongType:  "dropped: wrong type",
	plan.WrongValue: "dropped: value not in plan",
	plan.Sound:      "dropped: null",
}
