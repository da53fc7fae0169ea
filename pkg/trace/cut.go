package trace

import (
	"regexp"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

const userPrefix = "userProperties."

// redacted is a text of which the sanitizer left nothing.
var redacted = regexp.MustCompile(`^(?:\[[a-z0-9-]+\][\s,;]*)+$`)

// properties removes what the plan does not allow from a list, in place, and
// sanitises the rest.
func (ev *evaluation) properties(prefix string, list []event.Property, allowed map[string]rule) []event.Property {
	kept := list[:0]
	for _, p := range list {
		r, planned := allowed[p.Name]
		if !planned {
			ev.describe(prefix, p.Name, "dropped: not in plan")
			continue
		}
		v, fault, ok := r.property.Filter(p.Value)
		if fault != plan.Sound {
			ev.addFinding(prefix+p.Name, string(fault))
		}
		if !ok {
			ev.describe(prefix, p.Name, dropped[fault])
			continue
		}
		v, found := ev.clean.Value(v, r.hint)
		ev.addFindings(prefix, p.Name, found)
		if found != 0 && prefix == userPrefix && v.Kind == event.String && redacted.MatchString(v.Text) {
			// It would overwrite what the vendor knows of the user.
			ev.describe(prefix, p.Name, "dropped: nothing is left but "+v.Text)
			continue
		}
		kept = append(kept, event.Property{Name: p.Name, Value: v})
	}
	return kept
}

// context removes what the plan does not allow beside the properties, and sanitises
// the rest.
func (ev *evaluation) context() {
	allowed, into := ev.tracer.plan.Context(), &ev.event
	url := sanitizer.Hint{URL: true}
	if allowed.Page {
		ev.text("page.url", &into.Page.URL, url)
		ev.text("page.path", &into.Page.Path, url)
		ev.text("page.referrer", &into.Page.Referrer, url)
		ev.text("page.title", &into.Page.Title, sanitizer.Hint{})
	} else {
		into.Page = event.Page{}
	}
	if !allowed.Screen {
		into.Screen = event.Screen{}
	}
	if !allowed.Locale {
		into.Locale = ""
	}
	ev.text("locale", &into.Locale, sanitizer.Hint{})
	if into.UserAgent = ""; allowed.UserAgent {
		into.UserAgent = ev.agent.clean
		ev.addFindings("userAgent", "", ev.agent.found)
	}
	if !allowed.IP {
		into.IP = ""
	}
	ev.text("ip", &into.IP, sanitizer.Hint{Allow: sanitizer.IP})
	if !allowed.SessionID {
		into.SessionID = ""
	}
	ev.consent()
}

func (ev *evaluation) text(name string, text *string, h sanitizer.Hint) {
	clean, found := ev.clean.Text(*text, h)
	*text = clean
	ev.addFindings(name, "", found)
}

// consent keeps the purposes whose names are plain words: a client may put
// anything into a name.
func (ev *evaluation) consent() {
	for purpose := range ev.event.Consent {
		if _, found := ev.clean.Text(purpose, sanitizer.Hint{}); found != 0 || !plainWord(purpose) {
			delete(ev.event.Consent, purpose)
		}
	}
}

func plainWord(s string) bool {
	const longest = 64
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= longest
}

// identities replaces ids that are personal data by their hash.
func (ev *evaluation) identities() {
	for _, id := range [...]struct {
		name string
		text *string
	}{{"userId", &ev.event.UserID}, {"deviceId", &ev.event.DeviceID}, {"sessionId", &ev.event.SessionID}, {"eventId", &ev.event.EventID}} {
		clean, found := ev.clean.Identity(*id.text, sanitizer.Hint{})
		*id.text = clean
		ev.addFindings(id.name, "", found)
	}
}

func (ev *evaluation) addFindings(prefix, name string, found sanitizer.Kinds) {
	if found == 0 {
		if name != "" {
			ev.describe(prefix, name, "allowed")
		}
		return
	}
	kinds := ev.clean.NamesOf(found)
	for _, kind := range kinds {
		ev.addFinding(prefix+name, kind)
	}
	ev.describe(prefix, name, "sanitised: "+strings.Join(kinds, ", "))
}

// addFinding adds a finding; callers do so once for each property and kind.
func (ev *evaluation) addFinding(property, kind string) {
	ev.decision.Findings = append(ev.decision.Findings, event.Finding{Property: property, Kind: kind})
}
