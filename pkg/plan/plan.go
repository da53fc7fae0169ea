package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
)

// The bounds of a plan.
const (
	MaxBytes      = 4 << 20 // of the file
	MaxEvents     = 1000
	MaxProperties = 2000 // names over all events
	MaxName       = 200  // bytes of a name of an event or property
	MaxDepth      = 8    // properties within properties
)

// Plan is a checked tracking plan.
type Plan struct {
	text           string
	version        string
	label          string
	context        Context
	userProperties map[string]*Property
	events         map[string]*Event
	columns        []Column
}

// Load reads a plan from a file. The error wraps that of os.ReadFile, or lists
// all that is wrong with the plan.
func Load(path string) (*Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return Parse(path, text)
}

// Parse reads a plan from its text; name stands for the file in errors.
func Parse(name string, text []byte) (*Plan, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%s: a plan of %d bytes; %d at most", name, len(text), MaxBytes)
	}
	document, err := strictyaml.Parse(name, text)
	if err != nil {
		return nil, err
	}
	b := builder{file: name}
	p := b.build(document)
	if err := errors.Join(b.faults...); err != nil {
		return nil, err
	}
	p.text = string(text)
	p.version, err = fingerprint(p)
	return p, err
}

// fingerprint makes the version of a plan from its meaning: space, comments and the
// order of keys do not count.
func fingerprint(p *Plan) (string, error) {
	canonical, err := json.Marshal(struct {
		Label          string
		Context        Context
		UserProperties map[string]*Property
		Events         map[string]*Event
	}{p.label, p.context, p.userProperties, p.events})
	if err != nil {
		return "", fmt.Errorf("fingerprint the plan: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:6]), nil
}

// Version identifies the plan's meaning: 12 hex digits of its SHA-256. Two files that
// differ only in space, comments or the order of keys have the same version.
func (p *Plan) Version() string { return p.version }

// Text is the plan's file.
func (p *Plan) Text() string { return p.text }

// Label is the plan's own version, as its author keeps it; "" when it has none.
func (p *Plan) Label() string { return p.label }

// Context says what may be sent beside properties.
func (p *Plan) Context() Context { return p.context }

// Event finds an event by its name, in the letters the client uses.
func (p *Plan) Event(name string) (*Event, bool) {
	e, ok := p.events[name]
	return e, ok
}

// Events are the names of the plan's events, sorted.
func (p *Plan) Events() []string { return slices.Sorted(maps.Keys(p.events)) }

// UserProperty finds what the plan says about a property of the user.
func (p *Plan) UserProperty(name string) (*Property, bool) {
	property, ok := p.userProperties[name]
	return property, ok
}

// UserProperties are the names of the user properties that may be sent, sorted.
func (p *Plan) UserProperties() []string { return slices.Sorted(maps.Keys(p.userProperties)) }

// CheckTrackers returns an error for each tracker of the plan that is not configured,
// with the most similar one that is.
func (p *Plan) CheckTrackers(configured []string) error {
	var faults []error
	for _, name := range p.Events() {
		e := p.events[name]
		for _, tracker := range slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(e.Trackers), slices.Collect(maps.Keys(e.Names))...)))) {
			if !slices.Contains(configured, tracker) {
				faults = append(faults, fmt.Errorf("event %q: tracker %q is not configured%s", name, tracker, strictyaml.Suggest(tracker, configured)))
			}
		}
	}
	return errors.Join(faults...)
}

// CheckKinds returns an error for each kind of finding in the plan's exemptions that
// is not one of the known ones, with the most similar one that is.
func (p *Plan) CheckKinds(kinds []string) error {
	var faults []error
	check := func(where string, properties map[string]*Property) {
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			for _, kind := range properties[name].Allow {
				if !slices.Contains(kinds, kind) {
					faults = append(faults, fmt.Errorf("%s: property %q: allow: unknown kind %q%s", where, name, kind, strictyaml.Suggest(kind, kinds)))
				}
			}
		}
	}
	check("userProperties", p.userProperties)
	for _, name := range p.Events() {
		check(fmt.Sprintf("event %q", name), p.events[name].Properties)
	}
	return errors.Join(faults...)
}
