package amplitude

import (
	"net/url"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	maxString = 1024
	maxDepth  = 40
	maxKeys   = 1000
)

// pageViewed and the names below are those of Amplitude's page view plugin
// (plugin-page-view-tracking-browser); its reports look for them.
const (
	pageViewed   = "[Amplitude] Page Viewed"
	pageURL      = "[Amplitude] Page URL"      // without query and fragment
	pageLocation = "[Amplitude] Page Location" // whole
	pagePath     = "[Amplitude] Page Path"
	pageTitle    = "[Amplitude] Page Title"
	pageDomain   = "[Amplitude] Page Domain"
	pageReferrer = "referrer"
)

// appendProperties writes event_properties: those of the page, then the event's
// own. A page property gives way to one of the event's that is named alike.
func appendProperties(b []byte, ev *event.Event) []byte {
	b = append(b, '{')
	keys := 0
	member := func(name, value string) {
		if value == "" {
			return
		}
		if _, taken := ev.Lookup(name); taken {
			return
		}
		keys++
		b = tracker.AppendText(tracker.AppendName(b, name), value, maxString)
	}
	plain, host := splitURL(ev.Page.URL)
	member(pageURL, plain)
	member(pagePath, path(ev))
	member(pageReferrer, ev.Page.Referrer)
	campaign(ev.Page.URL, member)
	if ev.Name == "pageview" {
		member(pageLocation, ev.Page.URL)
		member(pageTitle, ev.Page.Title)
		member(pageDomain, host)
	}
	return append(appendMembers(b, ev.Properties, 1, maxKeys-keys), '}')
}

// path is the page's path; a pageview may give it as a property instead.
func path(ev *event.Event) string {
	if ev.Page.Path != "" || ev.Name != "pageview" {
		return ev.Page.Path
	}
	if v, ok := ev.Lookup("pathname"); ok && v.Kind == event.String {
		return v.Text
	}
	return ""
}

// splitURL is a URL without its query and fragment, and its host name.
func splitURL(raw string) (plain, host string) {
	plain, _, _ = strings.Cut(raw, "#")
	plain, _, _ = strings.Cut(plain, "?")
	_, rest, found := strings.Cut(plain, "://")
	if !found {
		return plain, ""
	}
	authority, _, _ := strings.Cut(rest, "/")
	return plain, (&url.URL{Host: authority[strings.LastIndexByte(authority, '@')+1:]}).Hostname()
}

// appendObject writes properties as an object that stands depth objects and
// arrays deep.
func appendObject(b []byte, fields []event.Property, depth int) []byte {
	return append(appendMembers(append(b, '{'), fields, depth, maxKeys), '}')
}

// appendMembers writes at most limit of the fields; which ones does not depend
// on their order. Of names that are the same once they are cut the first counts.
func appendMembers(b []byte, fields []event.Property, depth, limit int) []byte {
	tooLong := func(p event.Property) bool { return len(p.Name) > maxString }
	if len(fields) > limit || slices.ContainsFunc(fields, tooLong) {
		fields = slices.Clone(fields)
		for i := range fields {
			fields[i].Name = tracker.Truncate(fields[i].Name, maxString)
		}
		fields = tracker.SortUnique(fields)
		fields = fields[:min(limit, len(fields))]
	}
	for i := range fields {
		b = appendValue(tracker.AppendAnyName(b, fields[i].Name), &fields[i].Value, depth)
	}
	return b
}

// appendValue writes a value within the limits; what lies deeper than Amplitude
// takes becomes null.
func appendValue(b []byte, v *event.Value, depth int) []byte {
	switch {
	case v.Kind == event.String:
		return tracker.AppendText(b, v.Text, maxString)
	case v.Kind != event.Object && v.Kind != event.Array:
		return v.AppendJSON(b)
	case depth >= maxDepth:
		return append(b, "null"...)
	case v.Kind == event.Object:
		return appendObject(b, v.Fields, depth+1)
	default:
		b = append(b, '[')
		for i := range v.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, &v.Items[i], depth+1)
		}
		return append(b, ']')
	}
}

// campaign calls member for each utm parameter of a page's URL, in this order:
// the names under which Amplitude's own browser SDK keeps a campaign.
func campaign(page string, member func(name, value string)) {
	page, _, _ = strings.Cut(page, "#")
	_, query, found := strings.Cut(page, "?")
	if !found || !strings.Contains(query, "utm_") {
		return
	}
	for _, name := range [...]string{"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"} {
		for pair := range strings.SplitSeq(query, "&") {
			raw, ok := strings.CutPrefix(pair, name+"=")
			if !ok {
				continue
			}
			if value, err := url.QueryUnescape(raw); err == nil {
				member(name, value)
			}
			break
		}
	}
}
