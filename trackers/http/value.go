package http

import (
	"encoding/json"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// input is the event as a program is given it; the package's doc lists it.
func input(e *event.Event) map[string]any {
	in := map[string]any{
		"event": e.Name, "receipt": e.Receipt.String(),
		"properties": object(e.Properties), "userProperties": object(e.UserProperties), "context": surroundings(e),
	}
	texts(in, "eventId", e.EventID, "deviceId", e.DeviceID, "userId", e.UserID)
	moment(in, "timestamp", e.Time)
	moment(in, "receivedAt", e.ReceivedAt)
	return in
}

func surroundings(e *event.Event) map[string]any {
	around := map[string]any{}
	page := map[string]any{}
	texts(page, "url", e.Page.URL, "path", e.Page.Path, "referrer", e.Page.Referrer, "title", e.Page.Title)
	if len(page) > 0 {
		around["page"] = page
	}
	if e.Screen.Width > 0 && e.Screen.Height > 0 {
		around["screen"] = map[string]any{"width": e.Screen.Width, "height": e.Screen.Height}
	}
	texts(around, "locale", e.Locale, "sessionId", e.SessionID, "userAgent", e.UserAgent, "ip", e.IP)
	if len(e.Consent) > 0 {
		consent := make(map[string]any, len(e.Consent))
		for purpose, given := range e.Consent {
			consent[purpose] = given
		}
		around["consent"] = consent
	}
	return around
}

// texts sets the members that have a value: names and values in turn.
func texts(into map[string]any, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			into[pairs[i]] = pairs[i+1]
		}
	}
}

func moment(into map[string]any, name string, at time.Time) {
	if at.IsZero() {
		return
	}
	into[name] = at.UTC().Format(timeLayout)
	into[name+"Ms"] = int(at.UnixMilli())
}

func object(fields []event.Property) map[string]any {
	m := make(map[string]any, len(fields))
	for i := range fields {
		m[fields[i].Name] = value(&fields[i].Value)
	}
	return m
}

// value is a JSON value as the interpreter has it. A number keeps its digits.
func value(v *event.Value) any {
	switch v.Kind {
	case event.True, event.False:
		return v.Kind == event.True
	case event.Number:
		return json.Number(v.Text)
	case event.String:
		return v.Text
	case event.Array:
		list := make([]any, len(v.Items))
		for i := range v.Items {
			list[i] = value(&v.Items[i])
		}
		return list
	case event.Object:
		return object(v.Fields)
	default:
		return nil
	}
}
