// Package trail is what became of one accepted event, as the commands and the
// demo page show it: what was stored, and a step for each tracker. It holds no
// secrets: whoever makes a Request masks them. The JSON names are stable.
package trail

import (
	"encoding/json"
	"time"
)

// Trail is what was stored of one accepted record, and its outcome at each
// tracker.
type Trail struct {
	Receipt    string          `json:"receipt"`
	EventID    string          `json:"eventId"`
	Source     string          `json:"source"`
	Event      string          `json:"event,omitempty"`
	ReceivedAt time.Time       `json:"receivedAt"`
	Duplicate  bool            `json:"duplicate"`
	Data       string          `json:"data"`
	Context    json.RawMessage `json:"context"`
	Steps      []Step          `json:"trackers"`
}

// Step is what became of a record at one tracker.
type Step struct {
	Tracker  string    `json:"tracker"`
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason,omitempty"`
	Status   int       `json:"status,omitempty"`
	Error    string    `json:"error,omitempty"` // the vendor's answer, sanitised
	Attempts int       `json:"attempts,omitempty"`
	Time     time.Time `json:"time,omitzero"`
	Latency  float64   `json:"latencyMs,omitempty"`
	Run      int       `json:"run,omitempty"`
	Plan     string    `json:"plan,omitempty"`
	// Properties says what was done to each property of the event: allowed,
	// dropped and why, sanitised.
	Properties map[string]string `json:"properties,omitempty"`
	// Requests are what the vendor gets for the event, in order: what goes before,
	// if anything does, and the event itself.
	Requests []Request `json:"requests,omitempty"`
}

// Request is a request that a vendor gets for an event, secrets masked.
type Request struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}
