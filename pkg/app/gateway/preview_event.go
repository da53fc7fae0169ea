package gateway

import (
	"encoding/json"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// leftEvent is what plan and sanitizer leave of an event, in the words of the
// intake API.
type leftEvent struct {
	Event          string          `json:"event"`
	EventID        string          `json:"eventId"`
	DeviceID       string          `json:"deviceId"`
	UserID         string          `json:"userId,omitempty"`
	Timestamp      time.Time       `json:"timestamp,omitzero"`
	Properties     json.RawMessage `json:"properties"`
	UserProperties json.RawMessage `json:"userProperties,omitempty"`
	Context        leftContext     `json:"context,omitzero"`
}

type leftContext struct {
	Page      leftPage        `json:"page,omitzero"`
	Screen    leftScreen      `json:"screen,omitzero"`
	Locale    string          `json:"locale,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	UserAgent string          `json:"userAgent,omitempty"`
	IP        string          `json:"ip,omitempty"`
	Consent   map[string]bool `json:"consent,omitempty"`
}

// IsZero reports whether nothing is left of the context.
func (c leftContext) IsZero() bool {
	return c.Page == leftPage{} && c.Screen == leftScreen{} && c.Locale+c.SessionID+c.UserAgent+c.IP == "" && len(c.Consent) == 0
}

type leftPage struct {
	URL      string `json:"url,omitempty"`
	Path     string `json:"path,omitempty"`
	Referrer string `json:"referrer,omitempty"`
	Title    string `json:"title,omitempty"`
}

type leftScreen struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// eventJSON is an event as a preview shows it; numbers keep their digits.
func eventJSON(e *event.Event) json.RawMessage {
	left := leftEvent{
		Event: e.Name, EventID: e.EventID, DeviceID: e.DeviceID, UserID: e.UserID, Timestamp: e.Time,
		Properties: event.AppendObject(nil, e.Properties),
		Context: leftContext{
			Page: leftPage(e.Page), Screen: leftScreen(e.Screen), Locale: e.Locale, SessionID: e.SessionID,
			UserAgent: e.UserAgent, IP: e.IP, Consent: e.Consent,
		},
	}
	if len(e.UserProperties) > 0 {
		left.UserProperties = event.AppendObject(nil, e.UserProperties)
	}
	text, err := json.Marshal(left)
	if err != nil {
		return nil // a number that JSON cannot express; the request shows it
	}
	return text
}
