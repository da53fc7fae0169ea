// Package ga4test is a strict stand-in for Google Analytics 4's Measurement
// Protocol. Like the real one it answers 204 to everything; unlike it, it checks
// each request against the documented rules (the protocol's reference and
// sending-events pages, and the validator of Google's Event Builder), remembers
// every violation, and accepts the events of valid requests only. The validation
// endpoint answers with validationMessages. It knows nothing of package ga4: the
// rules are written down a second time on purpose.
package ga4test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// Options is what a Server needs beside the rules.
type Options struct {
	// Log also gets each accepted event as a line of JSON; nil for none.
	Log io.Writer
	// Now is the clock for the 72 hours of back-dating; nil leaves that rule out.
	Now func() time.Time
}

// Server is the stand-in: an http.Handler for /mp/collect and /debug/mp/collect.
type Server struct {
	// Faults ordered here are met by /mp/collect.
	Faults vendortest.Faults
	// Taken is the events of valid requests. They have no key: GA4 drops no repeats.
	Taken *vendortest.Log
	// Violations is every rule that a request to /mp/collect broke.
	Violations vendortest.Violations

	now func() time.Time
	mux *http.ServeMux
}

// New makes a Server.
func New(o Options) *Server {
	s := &Server{Taken: vendortest.NewLog(o.Log), now: o.Now, mux: http.NewServeMux()}
	s.mux.Handle("/mp/collect", s.Faults.Wrap(vendortest.Body(s.collect)))
	s.mux.Handle("/debug/mp/collect", vendortest.Body(s.validate))
	return s
}

// ServeHTTP answers as the vendor does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) collect(w http.ResponseWriter, r *http.Request, body []byte) {
	c := s.newChecker()
	c.checkRequest(r, body)
	p := c.payload(body)
	if len(c.messages) == 0 {
		s.accept(p)
	}
	for _, m := range c.messages {
		s.Violations.Add(vendortest.Violation{Rule: m.ValidationCode, Detail: m.FieldPath + ": " + m.Description})
	}
	w.WriteHeader(http.StatusNoContent)
}

// validate is the validation endpoint. It checks the payload only, not the
// credentials, and accepts no event.
func (s *Server) validate(w http.ResponseWriter, _ *http.Request, body []byte) {
	c := s.newChecker()
	c.payload(body)
	vendortest.ReplyJSON(w, http.StatusOK, struct {
		Messages []Message `json:"validationMessages"`
	}{append([]Message{}, c.messages...)})
}

func (s *Server) newChecker() *checker {
	c := &checker{}
	if s.now != nil {
		c.oldest = s.now().Add(-72 * time.Hour)
	}
	return c
}

func (s *Server) accept(p payload) {
	for _, e := range p.Events {
		s.Taken.Add(vendortest.Entry{Name: e.Name, Device: p.ClientID, User: p.UserID, Data: e.raw})
	}
}

// maxBody is what a body stays below, in bytes, and so what bounds a text that has
// no limit of its own.
const maxBody = 130_000

// checkRequest checks the method, query, headers and size of a request, which the
// validation endpoint does not look at.
func (c *checker) checkRequest(r *http.Request, body []byte) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case r.Method != http.MethodPost:
		c.fault("", "VALUE_INVALID", "the method is not POST")
	case err != nil || query.Get("api_secret") == "":
		c.fault("api_secret", "VALUE_REQUIRED", "api_secret is missing")
	case query.Get("measurement_id") == "" || query.Has("firebase_app_id"):
		c.fault("measurement_id", "VALUE_REQUIRED", "exactly one of measurement_id and firebase_app_id is required")
	case r.Header.Get("Content-Type") != "application/json":
		c.fault("", "VALUE_INVALID", "Content-Type is not application/json")
	}
	if len(body) >= maxBody {
		c.fault("", "EXCEEDED_MAX_ENTITIES", "the body is 130 kB or more")
	}
	if bytes.Contains(body, []byte(`"validation_behavior"`)) {
		c.fault("validation_behavior", "VALUE_INVALID", "meant for the validation endpoint alone")
	}
}
