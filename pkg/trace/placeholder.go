package trace

import (
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// IDRules are a source's own rules for ids of users and devices, beside the
// placeholders that every source has. Letters of either case are the same.
type IDRules struct {
	// Real are ids that stand for somebody although they look like placeholders.
	Real []string `yaml:"real"`
	// Placeholders are more ids that stand for nobody.
	Placeholders []string `yaml:"placeholders"`
}

// placeholders are what programs write where they know no id: events of many people
// would become those of one.
var placeholders = map[string]bool{
	"null": true, "nil": true, "undefined": true, "none": true, "unknown": true, "anonymous": true, "guest": true, "n/a": true, "na": true,
	"(not set)": true, "not set": true, "nan": true, "true": true, "false": true, "[object object]": true, "{}": true, "[]": true,
	"0": true, "-1": true, "-": true, "lmy47d": true, // the build of an Android emulator
}

const longestPlaceholder = 64

// isPlaceholder reports whether an id stands for nobody.
func (r *IDRules) isPlaceholder(id string) bool {
	id = strings.ToLower(strings.TrimSpace(id))
	same := func(listed string) bool { return strings.EqualFold(listed, id) }
	switch {
	case slices.ContainsFunc(r.Real, same):
		return false
	case slices.ContainsFunc(r.Placeholders, same):
		return true
	case id == "" || len(id) > longestPlaceholder:
		return false
	}
	zeros := strings.Trim(id, "0-") == "" && strings.Contains(id, "0") // also of a UUID
	template := strings.HasPrefix(id, "{{") || strings.HasPrefix(id, "${") || strings.HasPrefix(id, "<%")
	return placeholders[id] || zeros || template
}

// people removes ids that stand for nobody. It stops an event that is left without
// any; one whose device is unknown counts for its user.
func (ev *evaluation) people(source string) bool {
	rules := ev.tracer.options.IDRules[source]
	remove := func(name string, id *string) {
		if rules.isPlaceholder(*id) {
			*id = ""
			ev.addFinding(name, "placeholder")
			ev.describe("", name, "dropped: a placeholder")
		}
	}
	remove("userId", &ev.event.UserID)
	remove("deviceId", &ev.event.DeviceID)
	if ev.event.DeviceID == "" {
		ev.event.DeviceID = ev.event.UserID
	}
	return ev.event.DeviceID != "" || ev.stop(event.Filtered, ReasonNobody)
}
