package ga4

import (
	"strconv"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	maxParams    = 25
	maxValue     = 100
	maxNumber    = 100 // digits; a longer number is left out, see sendable
	maxLocation  = 1000
	maxReferrer  = 420
	maxTitle     = 300
	maxUserID    = 256
	maxUserValue = 36
)

// encoder holds the buffers of one call of Requests. Its methods overwrite what
// they left there before.
type encoder struct {
	event, head []byte
	flat        []event.Property
	params      int
}

func flattener() tracker.Flattener { return tracker.Flattener{Separator: "_", Joiner: ","} }

// encode writes one element of the events array to e.event, or returns the rule
// that the event breaks.
func (e *encoder) encode(ev *event.Event, place *Location) (rule string) {
	name, rule := eventName(ev.Name)
	if rule != "" {
		return rule
	}
	if strings.TrimSpace(ev.DeviceID) == "" {
		return "deviceId: required"
	}
	if tracker.Length(ev.UserID) > maxUserID {
		return "userId: longer than 256 characters"
	}
	shop := shopFor(name, ev)
	if rule := shop.rule(); rule != "" {
		return rule
	}
	b := tracker.AppendMember(append(e.event[:0], '{'), "name", name)
	b = append(b, `,"params":{`...)
	b = e.appendContext(b, ev)
	b = e.appendShop(b, shop)
	b = e.appendProperties(b, ev, shop, place)
	b = append(b, '}')
	if at := happened(ev); !at.IsZero() {
		b = append(b, `,"timestamp_micros":`...)
		b = strconv.AppendInt(b, at.UnixMicro(), 10)
	}
	e.event = append(b, '}')
	return ""
}

// maxAhead is how far an event may be ahead of its receipt.
const maxAhead = 15 * time.Minute

// happened is when the event happened. Google does not say what it does with the
// future, so an event that a wrong clock puts there counts as of its receipt.
func happened(ev *event.Event) time.Time {
	if !ev.ReceivedAt.IsZero() && ev.Time.Sub(ev.ReceivedAt) > maxAhead {
		return ev.ReceivedAt
	}
	return ev.Time
}

// appendContext writes what ties an event to its session and page: GA4 needs a
// session and an engagement time to show an event in its standard reports.
func (e *encoder) appendContext(b []byte, ev *event.Event) []byte {
	e.params = 0
	b = e.appendString(b, "session_id", ev.SessionID, maxValue)
	b = e.appendNumber(b, "engagement_time_msec", engagement(ev))
	b = e.appendString(b, "page_location", ev.Page.URL, maxLocation)
	b = e.appendString(b, "page_referrer", ev.Page.Referrer, maxReferrer)
	return e.appendString(b, "page_title", ev.Page.Title, maxTitle)
}

// engagement is the event's own engagement time in whole milliseconds, or the
// 1 that counts as engaged.
func engagement(ev *event.Event) string {
	v, ok := ev.Lookup("engagement_time_msec")
	if ok && v.Kind == event.Number && v.Text != "" && len(v.Text) <= maxNumber && digits(v.Text) && !strings.HasPrefix(v.Text, "0") {
		return v.Text
	}
	return "1"
}

func (e *encoder) appendString(b []byte, name, value string, limit int) []byte {
	if value == "" {
		return b
	}
	e.params++
	return tracker.AppendText(tracker.AppendName(b, name), value, limit)
}

func (e *encoder) appendNumber(b []byte, name, literal string) []byte {
	e.params++
	return append(tracker.AppendName(b, name), literal...)
}

// appendProperties writes the event's own properties, by name, until the limit.
func (e *encoder) appendProperties(b []byte, ev *event.Event, shop shop, place *Location) []byte {
	e.flat = flattener().Append(e.flat[:0], ev.Properties)
	e.flat = place.without(e.flat)
	for i := range e.flat {
		e.flat[i].Name = parameterName(e.flat[i].Name)
	}
	for _, p := range tracker.SortUnique(e.flat) {
		if e.params == maxParams {
			break
		}
		if p.Name == "" || written(p.Name, ev) || shop.owns(p.Name) {
			continue
		}
		if p.Value.Kind == event.Number {
			if sendable(p.Value.Text) {
				b = e.appendNumber(b, p.Name, p.Value.Text)
			}
			continue
		}
		b = e.appendString(b, p.Name, p.Value.Text, valueLimit(p.Name))
	}
	return b
}

// written reports whether appendContext has written the parameter.
func written(name string, ev *event.Event) bool {
	switch name {
	case "engagement_time_msec":
		return true
	case "session_id":
		return ev.SessionID != ""
	case "page_location":
		return ev.Page.URL != ""
	case "page_referrer":
		return ev.Page.Referrer != ""
	case "page_title":
		return ev.Page.Title != ""
	}
	return false
}

func valueLimit(name string) int {
	switch name {
	case "page_location":
		return maxLocation
	case "page_referrer":
		return maxReferrer
	case "page_title":
		return maxTitle
	}
	return maxValue
}
