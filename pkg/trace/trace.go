package trace

import (
	"cmp"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/bot"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// Options are the operator's choices.
type Options struct {
	// KeepBots lets events of bots through; see package bot.
	KeepBots bool
	// BotRules say by source what is a bot besides the list, and what is none.
	BotRules map[string]bot.Rules
	// IDRules say by source which ids stand for nobody, and which do not.
	IDRules map[string]IDRules
	// KeepPrerender lets events of prerendered pages through.
	KeepPrerender bool
	// Regions are the countries whose national phone numbers are found, by source;
	// other sources have the sanitizer's own.
	Regions map[string][]string
}

// The reasons that need no detail.
const (
	ReasonMalformed = "malformed"
	ReasonPrerender = "prerender"
	ReasonBotRule   = "bot (rule of the source)"
	ReasonNobody    = "user and device are placeholders"
	ReasonNotInPlan = "event not in plan"
	ReasonNotRouted = "not routed to tracker"
)

// ReasonBot names the list by which a user agent is a bot's, such as
// "bot (crawler-user-agents 1.60.0)".
var ReasonBot = "bot (" + bot.Version + ")"

// Tracer applies one plan. It is safe for concurrent use.
type Tracer struct {
	plan    *plan.Plan
	clean   *sanitizer.Sanitizer
	sources map[string]*sanitizer.Sanitizer // of those with their own regions
	options Options
	events  map[string]*rules
	user    map[string]rule
	agents  agents
	recent  recent
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
	t := &Tracer{plan: p, clean: s, sources: map[string]*sanitizer.Sanitizer{}, options: o, events: map[string]*rules{}, user: map[string]rule{}}
	for source, regions := range o.Regions {
		t.sources[source] = s.WithRegions(regions)
	}
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
// event.Pending, into is what may leave; otherwise its content means nothing. What
// into refers to may be shared with other calls for the same record and must not
// be changed.
func (t *Tracer) Trace(rec *event.Record, tracker string, into *event.Event) event.Decision {
	if r := t.recent.find(rec.Receipt); r != nil {
		return r.forTracker(tracker, into)
	}
	r := new(reduction)
	ev := evaluation{tracer: t, reduction: r}
	if ev.run(rec, tracker) {
		t.recent.add(rec, r)
	}
	return r.forTracker(tracker, into)
}

// reduction is what Trace finds for a record, whatever the tracker is.
type reduction struct {
	event    event.Event    // what may leave, if decision says so
	rules    *rules         // of the event; nil if it was stopped before they were looked up
	decision event.Decision // its outcome is event.Pending if the event may leave
}

// forTracker is what the reduction means for one tracker.
func (r *reduction) forTracker(tracker string, into *event.Event) event.Decision {
	if r.rules != nil && !r.rules.event.RoutedTo(tracker) {
		return event.Decision{Outcome: event.Filtered, Reason: ReasonNotRouted, Name: r.decision.Name}
	}
	if r.decision.Outcome == event.Pending {
		*into = r.event
		into.Name = cmp.Or(r.rules.event.Names[tracker], into.Name)
	}
	return r.decision
}

// evaluation fills in the reduction of one record.
type evaluation struct {
	*reduction
	tracer  *Tracer
	clean   *sanitizer.Sanitizer // for the record's source
	agent   agent
	explain *Explanation // nil but for Explain
}

// run reports whether the reduction is complete. It is not when the event is not
// routed to the tracker: the rest is left out then.
func (ev *evaluation) run(rec *event.Record, tracker string) (complete bool) {
	ev.clean = cmp.Or(ev.tracer.sources[rec.Source], ev.tracer.clean)
	if !ev.parse(rec) || !ev.filter(rec) {
		return true
	}
	if !ev.rules.event.RoutedTo(tracker) {
		return false
	}
	ev.reduce(rec.Source)
	return true
}

// reduce leaves of the event what the plan allows, sanitised.
func (ev *evaluation) reduce(source string) {
	into := &ev.event
	if purpose := ev.rules.event.MissingConsent(into.Consent); purpose != "" {
		ev.stop(event.Filtered, "consent: "+purpose)
		return
	}
	into.Properties = ev.properties("properties.", into.Properties, ev.rules.properties)
	if !ev.complete() {
		ev.decision.Findings = nil // nothing would have left
		return
	}
	if !ev.people(source) {
		return
	}
	into.UserProperties = ev.properties(userPrefix, into.UserProperties, ev.tracer.user)
	ev.context()
	ev.identities()
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
	err := event.Parse(rec, &ev.event)
	if err == nil {
		ev.decision.Name = ev.event.Name
	}
	switch {
	case rec.Context.Invalid != "":
		return ev.stop(event.Rejected, "invalid: "+rec.Context.Invalid)
	case err != nil:
		return ev.stop(event.Rejected, "invalid: not an event")
	}
	if ev.event.TimeFault != event.NoTimeFault {
		ev.addFinding("timestamp", string(ev.event.TimeFault))
		ev.describe("", "timestamp", string(ev.event.TimeFault))
	}
	return true
}

// filter applies what stops an event at every tracker, and looks up its rules.
func (ev *evaluation) filter(rec *event.Record) bool {
	o := &ev.tracer.options
	if !o.KeepPrerender && strings.Contains(rec.Context.Purpose, "prerender") {
		return ev.stop(event.Filtered, ReasonPrerender)
	}
	ev.agent = ev.tracer.agents.classify(ev.event.UserAgent, ev.tracer.clean)
	if reason := ev.botReason(rec.Source); reason != "" && !o.KeepBots {
		return ev.stop(event.Filtered, reason)
	}
	planned, ok := ev.tracer.events[ev.event.Name]
	if !ok {
		return ev.stop(event.Filtered, ReasonNotInPlan)
	}
	ev.rules = planned
	return true
}

// botReason is why the user agent is a bot's, or "".
func (ev *evaluation) botReason(source string) string {
	if rules, ok := ev.tracer.options.BotRules[source]; ok {
		if machine, known := rules.Decide(ev.event.UserAgent); machine {
			return ReasonBotRule
		} else if known {
			return ""
		}
	}
	if ev.agent.bot {
		return ReasonBot
	}
	return ""
}

// complete checks that the event has the properties that the plan requires.
func (ev *evaluation) complete() bool {
	for _, name := range ev.rules.event.Required() {
		if _, ok := ev.event.Lookup(name); ok {
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
