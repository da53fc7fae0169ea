package amplitude

import (
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// encoder holds the buffers of one call of Requests. Its methods overwrite what
// they left there before.
type encoder struct {
	userAgent, ip bool
	identify      string
	event         []byte
}

// encode writes one element of the events array to e.event, or returns the rule
// that the event breaks.
func (e *encoder) encode(ev *event.Event) (rule string) {
	name, rule := eventType(ev.Name)
	if rule != "" {
		return rule
	}
	if ev.EventID == "" {
		return "eventId: required; Amplitude drops repeats by it"
	}
	user, device := usableID(ev.UserID), usableID(ev.DeviceID)
	if user == "" && device == "" {
		return "userId, deviceId: neither is an id that Amplitude takes"
	}
	identify := e.identify != "" && strings.TrimSpace(ev.Name) == e.identify
	if identify {
		name = identifyEvent
	}
	b := append(e.event[:0], '{')
	b = tracker.AppendSome(b, "user_id", user, maxString)
	b = tracker.AppendSome(b, "device_id", device, maxString)
	b = tracker.AppendText(tracker.AppendName(b, "event_type"), name, maxString)
	if !ev.Time.IsZero() {
		b = strconv.AppendInt(tracker.AppendName(b, "time"), ev.Time.UnixMilli(), 10)
	}
	b = tracker.AppendMember(b, "insert_id", ev.EventID)
	b = append(tracker.AppendName(b, "session_id"), sessionID(ev.SessionID)...)
	if identify {
		b = appendOperations(tracker.AppendName(b, "user_properties"), ev)
	} else {
		b = appendProperties(tracker.AppendName(b, "event_properties"), ev)
		b = appendUserProperties(b, ev.UserProperties)
		b = appendRevenue(b, ev)
	}
	b = e.appendBrowser(b, ev)
	e.event = append(b, '}')
	return ""
}

// appendBrowser writes what Amplitude derives place, device and language from.
func (e *encoder) appendBrowser(b []byte, ev *event.Event) []byte {
	if e.ip {
		b = tracker.AppendSome(b, "ip", ev.IP, maxString)
	}
	if e.userAgent {
		b = tracker.AppendSome(b, "user_agent", ev.UserAgent, maxString)
	}
	b = tracker.AppendSome(b, "language", ev.Locale, maxString)
	if ev.UserAgent != "" || ev.Page.URL != "" {
		b = tracker.AppendMember(b, "platform", "Web")
	}
	return b
}

// eventType is Amplitude's name for an event, or the rule that it breaks.
func eventType(name string) (string, string) {
	name = strings.TrimSpace(name)
	switch name {
	case "":
		return "", "name: empty"
	case "pageview":
		return pageViewed, ""
	case "$identify", "$groupidentify":
		return "", "name: $identify and $groupidentify do not name events"
	case "[Amplitude] Start Session", "[Amplitude] End Session", "[Amplitude] Revenue", "[Amplitude] Revenue (Verified)",
		"[Amplitude] Revenue (Unverified)", "[Amplitude] Merged User":
		return "", "name: " + name + " is reserved by Amplitude"
	}
	return name, ""
}

// appendRevenue writes the fields that make a revenue event, if the event has a
// numeric revenue.
func appendRevenue(b []byte, ev *event.Event) []byte {
	revenue, ok := ev.Lookup("revenue")
	if !ok || revenue.Kind != event.Number {
		return b
	}
	b = append(tracker.AppendName(b, "revenue"), revenue.Text...)
	for _, name := range [...]string{"productId", "revenueType", "currency"} {
		if v, ok := ev.Lookup(name); ok && v.Kind == event.String {
			b = tracker.AppendSome(b, name, v.Text, maxString)
		}
	}
	return b
}

const maxID = 1024

// usableID is an id that Amplitude takes, or "": one of the words it refuses
// would cost the whole request.
func usableID(id string) string {
	id = strings.TrimSpace(id)
	if len(id) <= len(zeroUUID) && forbidden(strings.ToLower(id)) || tracker.Length(id) > maxID {
		return ""
	}
	return id
}

const zeroUUID = "00000000-0000-0000-0000-000000000000"

func forbidden(id string) bool {
	switch id {
	case "", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "{}", "lmy47d", "0", "-1",
		zeroUUID, "00000000000000000000000000000000":
		return true
	}
	return false
}

// sessionID is the start of a session in milliseconds, as Amplitude wants it. An id
// that does not tell it is no session to Amplitude: -1.
func sessionID(id string) string {
	start, ok := tracker.SessionStart(id)
	if !ok {
		return "-1"
	}
	return strconv.FormatInt(start.UnixMilli(), 10)
}
