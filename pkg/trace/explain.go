package trace

import (
	"strings"

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
	// "dropped: value not in plan", "sanitised: email, card". Of ids and context
	// only what was sanitised is told. Empty for an event that was held back
	// before its properties were looked at.
	Properties map[string]string
}

// Explain traces a record as Trace does and tells what was done.
func (t *Tracer) Explain(rec *event.Record, tracker string) Explanation {
	e := Explanation{Properties: map[string]string{}}
	w := work{tracer: t, into: &e.Event, explain: &e}
	w.trace(rec, tracker)
	e.Decision = w.decision
	if e.Decision.Outcome != event.Pending {
		e.Event = event.Event{}
	}
	return e
}

func (w *work) say(prefix, name, what string) {
	if w.explain != nil {
		w.explain.Properties[prefix+name] = what
	}
}

func (w *work) sayFault(prefix, name string, f plan.Fault) {
	switch f {
	case plan.WrongType:
		w.say(prefix, name, "dropped: wrong type")
	case plan.WrongValue:
		w.say(prefix, name, "dropped: value not in plan")
	default:
		w.say(prefix, name, "dropped: null")
	}
}

func (w *work) saySanitised(property string, kinds []string) {
	if w.explain != nil {
		w.explain.Properties[property] = "sanitised: " + strings.Join(kinds, ", ")
	}
}
