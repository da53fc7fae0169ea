package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/segment"
	"github.com/sparrow-edge/sparrow/pkg/trace"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// Preview is what one tracker would make of an event.
type Preview struct {
	Tracker string `json:"tracker"`
	Kind    string `json:"kind"`
	Mode    string `json:"mode"`
	// Outcome is "sent", or the outcome that it has without being sent.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	// Properties says what was done to each: allowed, dropped and why, sanitised.
	Properties map[string]string `json:"properties,omitempty"`
	// Event is what plan and sanitizer leave; absent for an event held back.
	Event json.RawMessage `json:"event,omitempty"`
	// Requests are what the vendor would get, in order, secrets masked.
	Requests []trail.Request `json:"requests,omitempty"`
}

// PreviewOptions say of which event's reception a preview is.
type PreviewOptions struct {
	Tracker   string    // only this one; "" is all
	Now       time.Time // when the event is received
	UserAgent string    // of the request that brings it
	Segment   bool      // the event is a message of Segment's API
}

// Previews is what each configured tracker would make of an event, given as the
// client sends it. It touches neither journal nor network, and reads of the data
// directory only the key by which personal ids are hashed.
func Previews(s *config.Settings, data []byte, o PreviewOptions) ([]Preview, error) {
	if names := s.TrackerNames(); o.Tracker != "" && !slices.Contains(names, o.Tracker) {
		return nil, fmt.Errorf("no tracker is named %q; there are %v", o.Tracker, names)
	}
	clean, err := config.PreviewSanitizer(s)
	if err != nil {
		return nil, err
	}
	tracer, err := s.Tracer(s.Plan, clean)
	if err != nil {
		return nil, err
	}
	record := previewRecord(data, o)
	previews := []Preview{}
	for _, t := range s.Trackers {
		if o.Tracker == "" || t.Lane.Name == o.Tracker {
			previews = append(previews, preview(t, tracer, &record, o.Now))
		}
	}
	return previews, nil
}

// previewRecord is the record that intake would make of the bytes. An event
// without an id of its own gets the same one each time.
func previewRecord(data []byte, o PreviewOptions) event.Record {
	record := event.Record{
		Receipt:    event.Receipt{Epoch: "preview", Position: event.Position{Seq: 1}},
		ReceivedAt: o.Now.UTC().Truncate(time.Microsecond), Source: "preview", Data: data,
		Context: event.Context{UserAgent: o.UserAgent},
	}
	id, err := inspectPreview(&record, o)
	_, malformed := errors.AsType[*event.SyntaxError](err)
	switch {
	case malformed:
		record.Context.Malformed = err.Error()
	case err != nil:
		record.Context.Invalid = err.Error()
	}
	if record.EventID = id; record.EventID == "" {
		record.EventID = uuid.NewSHA1(uuid.NameSpaceURL, data).String()
	}
	segment.Translate(&record)
	return record
}

// inspectPreview checks the bytes as intake would, and returns the event's id.
func inspectPreview(record *event.Record, o PreviewOptions) (id string, err error) {
	if !o.Segment {
		return event.Inspect(record.Data)
	}
	record.Context.Format = segment.Format("")
	message, err := segment.Inspect(record.Data, "")
	record.Context.SentAt = message.SentAt
	return message.EventID, err
}

func preview(t config.Tracker, tracer *trace.Tracer, record *event.Record, now time.Time) Preview {
	p := Preview{Tracker: t.Lane.Name, Kind: t.Kind, Mode: string(t.Lane.Mode)}
	explained := tracer.Explain(record, t.Lane.Name)
	p.Outcome, p.Reason, p.Properties = explained.Decision.Outcome.String(), explained.Decision.Reason, explained.Properties
	if fault := record.Context.Malformed; fault != "" {
		p.Reason += ": " + fault
	}
	if explained.Decision.Outcome != event.Pending {
		return p
	}
	p.Event = eventJSON(&explained.Event)
	if reason := delivery.TooOld(t.Traits, &explained.Event, now); reason != "" {
		p.Outcome, p.Reason = event.Rejected.String(), reason
		return p
	}
	requests, rejections := t.Vendor.Requests([]event.Event{explained.Event})
	for _, r := range rejections {
		p.Outcome, p.Reason = event.Rejected.String(), r.Reason
		if r.Skip {
			p.Outcome = event.Filtered.String()
		}
	}
	if len(requests) > 0 {
		p.Outcome, p.Requests = "sent", shown(t, requests)
	}
	return p
}

// shown are requests as they may be shown, in the order in which they are sent.
func shown(t config.Tracker, requests []tracker.Request) []trail.Request {
	var list []trail.Request
	for i := range requests {
		if first := requests[i].Before; first != nil {
			list = append(list, masked(t, first))
		}
		list = append(list, masked(t, &requests[i]))
	}
	return list
}

// masked is a request as it may be shown.
func masked(t config.Tracker, r *tracker.Request) trail.Request {
	shown := trail.Request{
		Method: r.Method, URL: string(tracker.Redact([]byte(tracker.MaskURL(r.URL)), t.Traits.Secrets)), Header: map[string]string{},
		Body: string(tracker.Redact(r.Body, t.Traits.Secrets)),
	}
	for name := range r.Header {
		shown.Header[name] = string(tracker.Redact([]byte(r.Header.Get(name)), t.Traits.Secrets))
	}
	return shown
}

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
