package trace

import (
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// Options are the operator's choices.
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
	compile := func(name string, property *plan.Property) rule {
		allow, _ := s.Set(property.Allow) // CheckKinds has looked
		return rule{property, sanitizer.HintFor(name, allow)}
	}
	for _, name := range p.UserProperties() {
		property, _ := p.UserProperty(name)
		t.user[name] = compile(name, property)
	}
	for _, name := range p.Events() {
		e, _ := p.Event(name)
		r := &rules{e, make(map[string]rule, len(e.Properties))}
		for property, planned := range e.Properties {
			r.properties[property] = compile(property, planned)
		}
		t.events[name] = r
	}
	return t, nil
}

// PlanVersion is the version of the plan that is applied.
func (t *Tracer) PlanVersion() string { return t.plan.Version() }

// Trace decides whether a record's event may leave for a tracker. If the outcome is
// event.Pending, into is what may leave; otherwise its content means nothing.
func (t *Tracer) Trace(rec *event.Record, tracker string, into *event.Event) event.Decision {
	ev := evaluation{tracer: t, into: into}
	ev.run(rec, tracker)
	return ev.decision
}

// evaluation is what Trace does with one record.
type evaluation struct {
	tracer   *Tracer
	into     *event.Event
	rules    *rules
	agent    agent
	decision event.Decision
	explain  *Explanation // nil but for Explain
}

func (ev *evaluation) run(rec *event.Record, tracker string) {
	if !ev.parse(rec) || !ev.allow(rec, tracker) {
		return
	}
	into := ev.into
	into.Properties = ev.properties("properties.", into.Properties, ev.rules.properties)
	if !ev.complete() {
		ev.decision.Findings = nil // nothing would have left
		return
	}
	into.UserProperties = ev.properties("userProperties.", into.UserProperties, ev.tracer.user)
	ev.context()
	ev.identities()
	if alias := ev.rules.event.Names[tracker]; alias != "" {
		into.Name = alias
	}
	ev.decision.Outcome = event.Pending
}

// stop ends the evaluation: the event does not leave.
func (ev *evaluation) stop(outcome event.Outcome, reason string) bool {
	ev.decision.Outcome, ev.decision.Reason = outcome, reason
	return false
}

func (ev *evaluation) parse(rec *event.Record) bool {
	if rec.Context.Malformed != "" {
		return ev.stop(event.Rejected, ReasonMalformed)
	}
	err := event.Parse(rec, ev.into)
	if err == nil {
		ev.decision.Name = ev.into.Name
	}
	switch {
	case rec.Context.Invalid != "":
		return ev.stop(event.Rejected, "invalid: "+rec.Context.Invalid)
	case err != nil:
		return ev.stop(event.Rejected, "invalid: not an event")
	}
	return true
}

// allow applies the filters and the plan to the event as a whole.
func (ev *evaluation) allow(rec *event.Record, tracker string) bool {
	o := &ev.tracer.options
	if !o.KeepPrerender && strings.Contains(rec.Context.Purpose, "prerender") {
		return ev.stop(event.Filtered, ReasonPrerender)
	}
	ev.agent = ev.tracer.agents.classify(ev.into.UserAgent, ev.tracer.clean)
	if !o.KeepBots && ev.agent.bot {
		return ev.stop(event.Filtered, ReasonBot)
	}
	planned, ok := ev.tracer.events[ev.into.Name]
	if !ok {
		return ev.stop(event.Filtered, ReasonNotInPlan)
	}
	if !planned.event.RoutedTo(tracker) {
		return ev.stop(event.Filtered, ReasonNotRouted)
	}
	if purpose := planned.event.MissingConsent(ev.into.Consent); purpose != "" {
		return ev.stop(event.Filtered, "consent: "+purpose)
	}
	ev.rules = planned
	return true
}

// complete checks that the event has the properties that the plan requires.
func (ev *evaluation) complete() bool {
	for _, name := range ev.rules.event.Required() {
		if _, ok := ev.into.Lookup(name); ok {
			continue
		}
		for _, f := range ev.decision.Findings {
			if f.Property == "properties."+name {
				return ev.stop(event.Filtered, "required property of wrong type: "+name)
			}
		}
		return ev.stop(event.Filtered, "required property missing: "+name)
	}
	return true
}
