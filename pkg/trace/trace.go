package trace

import (
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// Options are choices of the operator's.
type Options struct {
	// KeepBots lets events of bots through; see IsBot.
	KeepBots bool
	// KeepPrerender lets events of prerendered pages through.
	KeepPrerender bool
}

// The reasons that need no detail.
const (
	ReasonMalformed = "malformed"
	ReasonPrerender = "prerender"
	ReasonBot       = "bot"
	ReasonNotInPlan = "event not in plan"
	ReasonNotRouted = "not routed to tracker"
)

// Tracer applies one plan. It is safe for concurrent use.
type Tracer struct {
	plan    *plan.Plan
	clean   *sanitizer.Sanitizer
	options Options
	events  map[string]*rules
	user    map[string]rule
	agents  agents
}

// rules is what the plan says of an event, ready for use.
type rules struct {
	event      *plan.Event
	properties map[string]rule
}

type rule struct {
	property *plan.Property
	hint     sanitizer.Hint
}

// New returns a Tracer for a plan. The error says which kinds of the plan's
// exemptions the sanitizer does not know.
func New(p *plan.Plan, s *sanitizer.Sanitizer, o Options) (*Tracer, error) {
	if err := p.CheckKinds(s.Names()); err != nil {
		return nil, err
	}
	t := &Tracer{plan: p, clean: s, options: o, events: map[string]*rules{}, user: map[string]rule{}}
	compile := func(name string, property *plan.Property) (rule, error) {
		allow, err := s.Set(property.Allow)
		return rule{property, sanitizer.HintFor(name, allow)}, err
	}
	var err error
	for _, name := range p.UserProperties() {
		property, _ := p.UserProperty(name)
		if t.user[name], err = compile(name, property); err != nil {
			return nil, err
		}
	}
	for _, name := range p.Events() {
		e, _ := p.Event(name)
		r := &rules{e, make(map[string]rule, len(e.Properties))}
		for property, planned := range e.Properties {
			if r.properties[property], err = compile(property, planned); err != nil {
				return nil, err
			}
		}
		t.events[name] = r
	}
	return t, nil
}

// PlanVersion names the plan that is applied.
func (t *Tracer) PlanVersion() string { return t.plan.Version() }

// Trace decides what becomes of a record at a tracker. Where the outcome is
// event.Pending, into is what may leave; otherwise into is of no use.
func (t *Tracer) Trace(rec *event.Record, tracker string, into *event.Event) event.Decision {
	w := work{tracer: t, into: into}
	w.trace(rec, tracker)
	return w.decision
}

// work is the way of one record.
type work struct {
	tracer   *Tracer
	into     *event.Event
	rules    *rules
	agent    agent
	decision event.Decision
	explain  *Explanation // nil but for Explain
}

func (w *work) trace(rec *event.Record, tracker string) {
	if !w.parse(rec) || !w.admit(rec, tracker) {
		return
	}
	into := w.into
	into.Properties = w.properties("properties.", into.Properties, w.rules.properties)
	if !w.complete() {
		w.decision.Findings = nil // nothing would have left
		return
	}
	into.UserProperties = w.properties("userProperties.", into.UserProperties, w.tracer.user)
	w.context()
	w.identities()
	if alias := w.rules.event.Names[tracker]; alias != "" {
		into.Name = alias
	}
	w.decision.Outcome = event.Pending
}

func (w *work) hold(outcome event.Outcome, reason string) bool {
	w.decision.Outcome, w.decision.Reason = outcome, reason
	return false
}

func (w *work) parse(rec *event.Record) bool {
	if rec.Context.Malformed != "" {
		return w.hold(event.Rejected, ReasonMalformed)
	}
	err := event.Parse(rec, w.into)
	if err == nil {
		w.decision.Name = w.into.Name
	}
	switch {
	case rec.Context.Invalid != "":
		return w.hold(event.Rejected, "invalid: "+rec.Context.Invalid)
	case err != nil:
		return w.hold(event.Rejected, "invalid: not an event")
	}
	return true
}

// admit asks the filters and the plan about the event as a whole.
func (w *work) admit(rec *event.Record, tracker string) bool {
	o := &w.tracer.options
	if !o.KeepPrerender && strings.Contains(rec.Context.Purpose, "prerender") {
		return w.hold(event.Filtered, ReasonPrerender)
	}
	w.agent = w.tracer.agents.judge(w.into.UserAgent, w.tracer.clean)
	if !o.KeepBots && w.agent.bot {
		return w.hold(event.Filtered, ReasonBot)
	}
	planned, ok := w.tracer.events[w.into.Name]
	if !ok {
		return w.hold(event.Filtered, ReasonNotInPlan)
	}
	if !planned.event.RoutedTo(tracker) {
		return w.hold(event.Filtered, ReasonNotRouted)
	}
	if purpose := planned.event.MissingConsent(w.into.Consent); purpose != "" {
		return w.hold(event.Filtered, "consent: "+purpose)
	}
	w.rules = planned
	return true
}

// complete asks for the properties without which the event is not sent.
func (w *work) complete() bool {
	for _, name := range w.rules.event.Required() {
		if _, ok := w.into.Lookup(name); ok {
			continue
		}
		for _, f := range w.decision.Findings {
			if f.Property == "properties."+name {
				return w.hold(event.Filtered, "required property of wrong type: "+name)
			}
		}
		return w.hold(event.Filtered, "required property missing: "+name)
	}
	return true
}
