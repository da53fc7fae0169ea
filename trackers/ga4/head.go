package ga4

import (
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const maxUserProperties = 25

// encodeHead writes to e.head how a request's body begins, up to its events:
// everything that holds for all of them.
func (e *encoder) encodeHead(ev *event.Event, c *Config) {
	b := tracker.AppendMember(append(e.head[:0], '{'), "client_id", ev.DeviceID)
	if strings.TrimSpace(ev.UserID) != "" {
		b = tracker.AppendMember(b, "user_id", ev.UserID)
	}
	b = e.appendUserProperties(b, ev.UserProperties)
	b = append(b, `,"consent":{"ad_user_data":"`...)
	b = append(b, granted(ev.Consent[c.Consent.AdUserData])...)
	b = append(b, `","ad_personalization":"`...)
	b = append(b, granted(ev.Consent[c.Consent.AdPersonalization])...)
	b = append(b, `"}`...)
	b = appendPlace(b, ev, c)
	b = appendDevice(b, ev)
	e.head = append(b, `,"events":[`...)
}

func granted(yes bool) string {
	if yes {
		return "GRANTED"
	}
	return "DENIED"
}

// appendDevice writes the user agent, or what is known without one.
func appendDevice(b []byte, ev *event.Event) []byte {
	if ev.UserAgent != "" {
		return tracker.AppendMember(b, "user_agent", ev.UserAgent)
	}
	screen := ev.Screen.Width > 0 && ev.Screen.Height > 0
	if ev.Locale == "" && !screen {
		return b
	}
	b = append(tracker.AppendName(b, "device"), '{')
	if ev.Locale != "" {
		b = tracker.AppendMember(b, "language", ev.Locale)
	}
	if screen {
		b = append(tracker.AppendName(b, "screen_resolution"), '"')
		b = strconv.AppendInt(b, int64(ev.Screen.Width), 10)
		b = append(b, 'x')
		b = strconv.AppendInt(b, int64(ev.Screen.Height), 10)
		b = append(b, '"')
	}
	return append(b, '}')
}

// appendUserProperties writes {"name":{"value":...}} for at most 25 of them, by name.
func (e *encoder) appendUserProperties(b []byte, properties []event.Property) []byte {
	if len(properties) == 0 {
		return b
	}
	e.flat = flattener().Append(e.flat[:0], properties)
	for i := range e.flat {
		e.flat[i].Name = userPropertyName(e.flat[i].Name)
	}
	count := 0
	for _, p := range tracker.SortUnique(e.flat) {
		if p.Name == "" || p.Value.Kind == event.Number && (len(p.Value.Text) > maxUserValue || !sendable(p.Value.Text)) {
			continue
		}
		if count == maxUserProperties {
			break
		}
		if count == 0 {
			b = append(tracker.AppendName(b, "user_properties"), '{')
		}
		count++
		b = append(tracker.AppendName(b, p.Name), `{"value":`...)
		if p.Value.Kind == event.Number {
			b = append(b, p.Value.Text...)
		} else {
			b = tracker.AppendText(b, p.Value.Text, maxUserValue)
		}
		b = append(b, '}')
	}
	if count > 0 {
		b = append(b, '}')
	}
	return b
}
