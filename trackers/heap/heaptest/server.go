// Package heaptest is a strict stand-in for Heap's server-side API: track, single
// and bulk, add_user_properties and identify. It checks every request against the
// rules of Heap's reference (track-1, bulk-track, add-user-properties, identify-1)
// and of its Node SDK, drops repeats by idempotency_key, and can apply the documented
// rates. Heap documents no answers; the stand-in says 200 {} to what it accepts and
// 400 "Bad request" to what it refuses, and refuses a bulk as a whole. It knows
// nothing of package heap: the rules are written down a second time on purpose.
package heaptest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// Options is what a Server needs beside the rules.
type Options struct {
	// Log also gets each accepted event as a line of JSON; nil for none.
	Log io.Writer
	// Now is the clock for the rates of the reference: 15,000 events a minute for an
	// app_id and 1,000 for an identity in bulk, 30 calls in 30 seconds about one
	// identity otherwise; nil leaves those rules out, and makes all time one month.
	Now func() time.Time
}

// Server is the stand-in: an http.Handler for /api/track, /api/add_user_properties
// and /api/v1/identify.
type Server struct {
	// Faults ordered here are met by every request.
	Faults vendortest.Faults
	// Taken is the accepted events, each once by its idempotency_key.
	Taken *vendortest.Log
	// Users is what requests said about users: User is the identity, Device the user_id that
	// identify binds to it.
	Users *vendortest.Log
	// Violations is every rule that a request broke.
	Violations vendortest.Violations
	// Seen counts the repeats that were dropped.
	Seen vendortest.Seen

	rates    *rates
	bindings bindings
	mux      *http.ServeMux
}

// New makes a Server.
func New(o Options) *Server {
	s := &Server{Taken: vendortest.NewLog(o.Log), Users: vendortest.NewLog(nil), mux: http.NewServeMux()}
	if o.Now != nil {
		s.rates, s.bindings.now = &rates{now: o.Now}, o.Now
	}
	s.mux.Handle("POST /api/track", s.Faults.Wrap(vendortest.Body(s.track)))
	s.mux.Handle("POST /api/add_user_properties", s.Faults.Wrap(s.userCall(checkUsers)))
	s.mux.Handle("POST /api/v1/identify", s.Faults.Wrap(s.userCall(checkIdentify)))
	return s
}

// ServeHTTP answers as the vendor does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) track(w http.ResponseWriter, r *http.Request, body []byte) {
	call, violations := check(r, body)
	if len(violations) > 0 {
		s.Violations.Add(violations...)
		http.Error(w, "Bad request", http.StatusBadRequest)
		return
	}
	if s.rates != nil && !s.rates.allow(call) {
		http.Error(w, "Too many requests", http.StatusTooManyRequests)
		return
	}
	for _, e := range call.events {
		if e.Key == "" || s.Seen.Add(e.Key) {
			s.Taken.Add(e)
		}
	}
	vendortest.ReplyJSON(w, http.StatusOK, struct{}{})
}

// call is one valid request.
type call struct {
	AppID  string
	path   string
	bulk   bool
	events []vendortest.Entry // Device is the user_id
}

// check reads a request and says what is wrong with it.
func check(r *http.Request, body []byte) (call, []vendortest.Violation) {
	var c checker
	c.checkHeaders(r)
	var top map[string]json.RawMessage
	if vendortest.Decode(body, &top) != nil {
		c.fault("json", "the body is not a JSON object")
		return call{}, c.violations
	}
	c.repeated(body)
	out := call{path: r.URL.Path, AppID: c.app(top)}
	list := []json.RawMessage{body}
	if raw, bulk := top["events"]; bulk {
		if json.Unmarshal(raw, &list) != nil {
			c.fault("events", "not an array")
			return call{}, c.violations
		}
		out.bulk = true
		c.onlyMembers("", top, "app_id", "events")
	}
	if len(list) < 1 || len(list) > 1000 {
		c.fault("events", "%d events, want 1 to 1000", len(list))
	}
	for i, raw := range list {
		out.events = append(out.events, c.event(fmt.Sprintf("events[%d]", i), raw))
	}
	return out, c.violations
}
