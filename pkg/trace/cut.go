package trace

import (
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// properties cuts a list to what the plan allows and sanitises the rest, in
// place.
func (w *work) properties(prefix string, list []event.Property, allowed map[string]rule) []event.Property {
	kept := list[:0]
	for _, p := range list {
		r, planned := allowed[p.Name]
		if !planned {
			w.say(prefix, p.Name, "dropped: not in plan")
			continue
		}
		v, fault, ok := r.property.Filter(p.Value)
		if fault != plan.Sound {
			w.find(prefix+p.Name, string(fault))
		}
		if !ok {
			w.sayFault(prefix, p.Name, fault)
			continue
		}
		v, found := w.tracer.clean.Value(v, r.hint)
		w.findAll(prefix, p.Name, found)
		kept = append(kept, event.Property{Name: p.Name, Value: v})
	}
	return kept
}

// context cuts what stands beside the properties to the plan, and sanitises it.
func (w *work) context() {
	allowed, into := w.tracer.plan.Context(), w.into
	url := sanitizer.Hint{URL: true}
	if allowed.Page {
		w.text("page.url", &into.Page.URL, url)
		w.text("page.path", &into.Page.Path, url)
		w.text("page.referrer", &into.Page.Referrer, url)
		w.text("page.title", &into.Page.Title, sanitizer.Hint{})
	} else {
		into.Page = event.Page{}
	}
	if !allowed.Screen {
		into.Screen = event.Screen{}
	}
	w.allowedText(allowed.Locale, "locale", &into.Locale, sanitizer.Hint{})
	if into.UserAgent = ""; allowed.UserAgent {
		into.UserAgent = w.agent.clean
		w.findAll("userAgent", "", w.agent.found)
	}
	w.allowedText(allowed.IP, "ip", &into.IP, sanitizer.Hint{Allow: sanitizer.IP})
	if !allowed.SessionID {
		into.SessionID = ""
	}
	w.consent()
}

func (w *work) allowedText(allowed bool, name string, text *string, h sanitizer.Hint) {
	if !allowed {
		*text = ""
		return
	}
	w.text(name, text, h)
}

func (w *work) text(name string, text *string, h sanitizer.Hint) {
	clean, found := w.tracer.clean.Text(*text, h)
	*text = clean
	w.findAll(name, "", found)
}

// consent keeps the purposes whose names are plain words: they come from the
// client like everything else.
func (w *work) consent() {
	for purpose := range w.into.Consent {
		if _, found := w.tracer.clean.Text(purpose, sanitizer.Hint{}); found != 0 || !plainWord(purpose) {
			delete(w.into.Consent, purpose)
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
func (w *work) identities() {
	for _, id := range [...]struct {
		name string
		text *string
	}{{"userId", &w.into.UserID}, {"deviceId", &w.into.DeviceID}, {"sessionId", &w.into.SessionID}, {"eventId", &w.into.EventID}} {
		clean, found := w.tracer.clean.Identity(*id.text, sanitizer.Hint{})
		*id.text = clean
		w.findAll(id.name, "", found)
	}
}

func (w *work) findAll(prefix, name string, found sanitizer.Kinds) {
	if found == 0 {
		if w.explain != nil && name != "" {
			w.say(prefix, name, "allowed")
		}
		return
	}
	for _, kind := range w.tracer.clean.NamesOf(found) {
		w.find(prefix+name, kind)
	}
	w.saySanitised(prefix+name, w.tracer.clean.NamesOf(found))
}

// find notes a finding, once for each property and kind.
func (w *work) find(property, kind string) {
	w.decision.Findings = append(w.decision.Findings, event.Finding{Property: property, Kind: kind})
}
