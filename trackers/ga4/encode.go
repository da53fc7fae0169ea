package ga4

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	maxParams    = 25
	maxValue     = 100
	maxNumber    = 100 // digits; a longer number is left out, see sendable
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
	context := contextOf(ev)
	b = e.appendContext(b, &context)
	b = e.appendShop(b, shop)
	b = e.appendProperties(b, ev, &context, shop, place)
	b = append(b, '}')
	if at := ev.Time; !at.IsZero() {
		b = append(b, `,"timestamp_micros":`...)
		b = strconv.AppendInt(b, at.UnixMicro(), 10)
	}
	e.event = append(b, '}')
	return ""
}

// parameter is a parameter whose value is not one of the event's properties.
type parameter struct {
	name, value string
	limit       int // 0: the value is a number
}

// contextOf is what ties an event to its session and page: GA4 needs a session and
// an engagement time to show an event in its standard reports.
func contextOf(ev *event.Event) [5]parameter {
	return [...]parameter{
		{"session_id", sessionID(ev.SessionID), maxValue},
		{"engagement_time_msec", engagement(ev), 0},
		{"page_location", ev.Page.URL, 1000},
		{"page_referrer", ev.Page.Referrer, 420},
		{"page_title", ev.Page.Title, 300},
	}
}

func (e *encoder) appendContext(b []byte, context *[5]parameter) []byte {
	e.params = 0
	for _, p := range context {
		if p.limit == 0 {
			b = e.appendNumber(b, p.name, p.value)
		} else {
			b = e.appendString(b, p.name, p.value, p.limit)
		}
	}
	return b
}

// sessionID is an id of digits, which is all that Google takes, as it is, or the start
// of a session in seconds, as Google's own tag names it.
func sessionID(id string) string {
	if strings.Trim(id, "0123456789") == "" {
		return id
	}
	if start, ok := tracker.SessionStart(id); ok {
		return strconv.FormatInt(start.Unix(), 10)
	}
	return ""
}

// engagement is the event's own engagement time in whole milliseconds, or the
// 1 that counts as engaged.
func engagement(ev *event.Event) string {
	v, ok := ev.Lookup("engagement_time_msec")
	if ok && v.Kind == event.Number && len(v.Text) <= maxNumber && positive.MatchString(v.Text) {
		return v.Text
	}
	return "1"
}

var positive = regexp.MustCompile(`^[1-9][0-9]*$`)

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
func (e *encoder) appendProperties(b []byte, ev *event.Event, context *[5]parameter, shop shop, place *Location) []byte {
	e.flat = flattener().Append(e.flat[:0], ev.Properties)
	for _, p := range tracker.Rename(e.flat, place.parameterName) {
		if e.params == maxParams {
			break
		}
		limit := maxValue
		written := shop.owns(p.Name)
		for i := range context {
			if context[i].name == p.Name {
				limit, written = context[i].limit, context[i].value != ""
			}
		}
		switch {
		case written:
		case p.Value.Kind != event.Number:
			b = e.appendString(b, p.Name, p.Value.Text, limit)
		case sendable(p.Value.Text):
			b = e.appendNumber(b, p.Name, p.Value.Text)
		}
	}
	return b
}
