package ga4

import (
	"regexp"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	maxUserProperties = 25
	maxCity           = 100
)

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
	screen := ev.Screen.String()
	if ev.Locale == "" && screen == "" {
		return b
	}
	b = append(tracker.AppendName(b, "device"), '{')
	b = tracker.AppendSome(b, "language", ev.Locale, len(ev.Locale))
	b = tracker.AppendSome(b, "screen_resolution", screen, len(screen))
	return append(b, '}')
}

// appendUserProperties writes {"name":{"value":...}} for at most 25 of them, by name.
func (e *encoder) appendUserProperties(b []byte, properties []event.Property) []byte {
	e.flat = flattener().Append(e.flat[:0], properties)
	count := 0
	for _, p := range tracker.Rename(e.flat, userPropertyName) {
		if p.Value.Kind == event.Number && (len(p.Value.Text) > maxUserValue || !sendable(p.Value.Text)) {
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

// appendPlace writes where the visitor is, if the configuration lets it leave:
// the place that the event's properties name, or the address.
func appendPlace(b []byte, ev *event.Event, c *Config) []byte {
	text := func(property string, form *regexp.Regexp) string {
		if property == "" {
			return ""
		}
		if v, _ := ev.Lookup(property); v.Kind == event.String && form.MatchString(v.Text) {
			return v.Text
		}
		return ""
	}
	city, region, country := text(c.Location.City, cityName), text(c.Location.Region, regionCode), text(c.Location.Country, countryCode)
	switch {
	case city+region+country != "":
		b = append(tracker.AppendName(b, "user_location"), '{')
		b = tracker.AppendSome(b, "city", city, maxCity)
		b = tracker.AppendSome(b, "region_id", region, maxCity)
		b = tracker.AppendSome(b, "country_id", country, maxCity)
		return append(b, '}')
	case c.ForwardIP:
		return tracker.AppendSome(b, "ip_override", ev.IP, len(ev.IP))
	}
	return b
}

// The forms of a place.
var (
	cityName    = regexp.MustCompile(`.|\n`)                     // any but ""
	regionCode  = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`) // of ISO 3166-2
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)               // of ISO 3166-1
)

// parameterName is GA4's name for a property; "" for one of the place's.
func (l *Location) parameterName(raw string) string {
	if raw == l.City || raw == l.Region || raw == l.Country {
		return "" // also a property without a name
	}
	return parameterName(raw)
}
