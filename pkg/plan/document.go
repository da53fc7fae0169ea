package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
)

// document is the YAML of a plan. Parts that have two forms, or whose line an error
// needs, stay nodes until they are built.
type document struct {
	Version        string                     `yaml:"version"`
	Defaults       defaultsEntry              `yaml:"defaults"`
	Context        Context                    `yaml:"context"`
	UserProperties map[string]strictyaml.Node `yaml:"userProperties"`
	Events         map[string]strictyaml.Node `yaml:"events"`
}

type defaultsEntry struct {
	Consent  []string `yaml:"consent"`
	Trackers []string `yaml:"trackers"`
}

// Context says what may be sent beside properties.
type Context struct {
	Page      bool `yaml:"page"` // URL, path, referrer and title
	Screen    bool `yaml:"screen"`
	Locale    bool `yaml:"locale"`
	SessionID bool `yaml:"sessionId"`
	UserAgent bool `yaml:"userAgent"`
	IP        bool `yaml:"ip"`
}

type eventEntry struct {
	Description string                     `yaml:"description"`
	Properties  map[string]strictyaml.Node `yaml:"properties"`
	Trackers    []string                   `yaml:"trackers"`
	Consent     []string                   `yaml:"consent"`
	Names       map[string]string          `yaml:"names"`
}

type propertyEntry struct {
	Type        string                     `yaml:"type"`
	Description string                     `yaml:"description"`
	Required    bool                       `yaml:"required"`
	Values      []string                   `yaml:"values"`
	Allow       []string                   `yaml:"allow"`
	Of          strictyaml.Node            `yaml:"of"`
	Properties  map[string]strictyaml.Node `yaml:"properties"`
}

// builder makes a Plan from a document and collects everything that is wrong.
type builder struct {
	file   string
	faults []error
}

func (b *builder) fault(n strictyaml.Node, format string, args ...any) {
	at := b.file
	if line := n.Line(); line > 0 {
		at = fmt.Sprintf("%s:%d", b.file, line)
	}
	b.faults = append(b.faults, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

func (b *builder) build(d strictyaml.Node) *Plan {
	doc := document{Context: Context{Page: true, Screen: true, Locale: true, SessionID: true, UserAgent: true}}
	if err := d.Decode(&doc); err != nil {
		b.faults = append(b.faults, err)
		return nil
	}
	p := &Plan{label: doc.Version, context: doc.Context, events: make(map[string]*Event, len(doc.Events))}
	if len(doc.Events) > MaxEvents {
		b.fault(strictyaml.Node{}, "events: %d; %d at most", len(doc.Events), MaxEvents)
		return nil
	}
	b.names(strictyaml.Node{}, "defaults.consent", doc.Defaults.Consent)
	b.names(strictyaml.Node{}, "defaults.trackers", doc.Defaults.Trackers)
	p.userProperties = b.properties("userProperties", doc.UserProperties, 1)
	for _, name := range slices.Sorted(maps.Keys(doc.Events)) {
		p.events[name] = b.event(name, doc.Events[name], &doc.Defaults)
	}
	if len(b.faults) == 0 {
		p.columns = b.columns(p, doc.Events)
	}
	return p
}

func (b *builder) event(name string, node strictyaml.Node, defaults *defaultsEntry) *Event {
	where := fmt.Sprintf("event %q", name)
	b.name(node, where, name)
	entry := eventEntry{Trackers: defaults.Trackers, Consent: defaults.Consent}
	if !b.decode(where, node, &entry) {
		return &Event{}
	}
	b.names(node, where+": trackers", entry.Trackers)
	b.names(node, where+": consent", entry.Consent)
	for tracker, alias := range entry.Names {
		b.name(node, where+": names."+tracker, alias)
	}
	e := &Event{
		Description: entry.Description, Trackers: entry.Trackers, Consent: entry.Consent, Names: entry.Names,
		Properties: b.properties(where, entry.Properties, 1),
	}
	for property, p := range e.Properties {
		if p.Required {
			e.required = append(e.required, property)
		}
	}
	slices.Sort(e.required)
	return e
}

func (b *builder) properties(where string, nodes map[string]strictyaml.Node, depth int) map[string]*Property {
	if nodes == nil {
		return nil
	}
	list := make(map[string]*Property, len(nodes))
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		inner := fmt.Sprintf("%s: property %q", where, name)
		b.name(nodes[name], inner, name)
		list[name] = b.property(inner, nodes[name], depth)
	}
	return list
}

func (b *builder) property(where string, node strictyaml.Node, depth int) *Property {
	var entry propertyEntry
	if node.WithFile(b.file).Decode(&entry.Type) != nil {
		entry.Type = ""
		if !b.decode(where, node, &entry) {
			return &Property{}
		}
	}
	p := &Property{
		Type: Type(entry.Type), Description: entry.Description, Required: entry.Required,
		Values: entry.Values, Allow: entry.Allow,
	}
	b.checkType(where, node, entry.Type)
	scalar := p.Type == String || p.Type == Number || p.Type == Integer
	if entry.Values != nil && (!scalar || len(entry.Values) == 0) {
		b.fault(node, "%s: values: want a list of at least one, for a property of type string, number or integer", where)
	}
	if p.Required && depth > 1 {
		b.fault(node, "%s: required: only an event's own properties can be required", where)
	}
	if p.Allow != nil && depth > 1 {
		b.fault(node, "%s: allow: say it at the event's own property; it holds for all that is within", where)
	}
	if depth >= MaxDepth && (entry.Of.Line() > 0 || entry.Properties != nil) {
		b.fault(node, "%s: properties within properties, deeper than %d", where, MaxDepth)
		return p
	}
	if entry.Of.Line() > 0 {
		if p.Type != Array {
			b.fault(node, "%s: of: only for type array", where)
		}
		p.Of = b.property(where+": of", entry.Of, depth+1)
	}
	if entry.Properties != nil {
		if p.Type != Object {
			b.fault(node, "%s: properties: only for type object", where)
		}
		p.Properties = b.properties(where, entry.Properties, depth+1)
	}
	return p
}

func (b *builder) checkType(where string, node strictyaml.Node, t string) {
	switch {
	case t == "":
		b.fault(node, "%s: type: required, one of %s", where, strings.Join(types, ", "))
	case !slices.Contains(types, t):
		b.fault(node, "%s: unknown type %q%s", where, t, strictyaml.Suggest(t, types))
	}
}

func (b *builder) decode(where string, node strictyaml.Node, into any) bool {
	err := node.WithFile(b.file).Decode(into)
	if err != nil {
		b.faults = append(b.faults, located(err, where))
	}
	return err == nil
}

// located adds where to every fault that err joins.
func located(err error, where string) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%w (%s)", err, where)
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, fmt.Errorf("%w (%s)", e, where))
	}
	return errors.Join(list...)
}

func (b *builder) names(node strictyaml.Node, where string, list []string) {
	for i, name := range list {
		b.name(node, where, name)
		if slices.Contains(list[:i], name) {
			b.fault(node, "%s: %q stands twice", where, name)
		}
	}
}

func (b *builder) name(node strictyaml.Node, where, name string) {
	switch {
	case name == "":
		b.fault(node, "%s: a name must not be empty", where)
	case len(name) > MaxName:
		b.fault(node, "%s: a name of %d bytes; %d at most", where, len(name), MaxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		b.fault(node, "%s: a name must be UTF-8 without control characters", where)
	}
}
