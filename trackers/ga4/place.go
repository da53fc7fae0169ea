package ga4

import (
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const maxCity = 100

// appendPlace writes where the visitor is, if the configuration lets it leave:
// the place that the event's properties name, or the address.
func appendPlace(b []byte, ev *event.Event, c *Config) []byte {
	city, region, country := c.Location.of(ev)
	if city+region+country == "" {
		if c.ForwardIP && ev.IP != "" {
			b = tracker.AppendMember(b, "ip_override", ev.IP)
		}
		return b
	}
	b = append(tracker.AppendName(b, "user_location"), '{')
	for _, part := range [...]struct{ name, value string }{{"city", city}, {"region_id", region}, {"country_id", country}} {
		if part.value != "" {
			b = tracker.AppendText(tracker.AppendName(b, part.name), part.value, maxCity)
		}
	}
	return append(b, '}')
}

// of is the place that an event's properties name; "" for what is not there or has
// another form.
func (l *Location) of(ev *event.Event) (city, region, country string) {
	text := func(property string) string {
		if property == "" {
			return ""
		}
		if v, ok := ev.Lookup(property); ok && v.Kind == event.String {
			return v.Text
		}
		return ""
	}
	city, region, country = text(l.City), text(l.Region), text(l.Country)
	if !regionCode(region) {
		region = ""
	}
	if !countryCode(country) {
		country = ""
	}
	return city, region, country
}

// without takes the properties of the place out of a flat list, in place.
func (l *Location) without(flat []event.Property) []event.Property {
	if *l == (Location{}) {
		return flat
	}
	return slices.DeleteFunc(flat, func(p event.Property) bool {
		return p.Name != "" && (p.Name == l.City || p.Name == l.Region || p.Name == l.Country)
	})
}

// countryCode reports a code of ISO 3166-1, by its form.
func countryCode(s string) bool {
	return len(s) == 2 && capital(s[0]) && capital(s[1])
}

// regionCode reports a code of ISO 3166-2, by its form.
func regionCode(s string) bool {
	if len(s) < 4 || len(s) > 6 || !countryCode(s[:2]) || s[2] != '-' {
		return false
	}
	for i := 3; i < len(s); i++ {
		if !capital(s[i]) && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

func capital(c byte) bool { return c >= 'A' && c <= 'Z' }
