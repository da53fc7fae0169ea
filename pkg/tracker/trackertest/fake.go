package trackertest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Fake is a strict stand-in of a vendor's API: it checks each request against the
// vendor's rules, and takes the events of those that break none.
type Fake struct {
	http.Handler
	// Taken is how many events it took.
	Taken func() int
	// Violations is how many times requests broke a rule, and the first few in words.
	Violations func() (total int, first []string)
}

// shownViolations is how many of a fake's violations a fault shows.
const shownViolations = 5

// NewFake makes a Fake from a stand-in that is built with vendortest: from its
// handler, Log and Violations.
func NewFake[V fmt.Stringer](handler http.Handler, taken interface{ Total() int }, violations interface {
	Total() int
	First() []V
}) Fake {
	return Fake{Handler: handler, Taken: taken.Total, Violations: func() (int, []string) {
		var words []string
		for _, v := range violations.First() {
			if len(words) == shownViolations {
				break
			}
			words = append(words, v.String())
		}
		return violations.Total(), words
	}}
}

// Perform sends a request to a handler, as the lane does to a server, but without a
// connection. It does not send req.Before. Like httptest.NewRequest, it panics if the
// method or the URL is malformed.
func Perform(handler http.Handler, req tracker.Request) tracker.Response {
	r := httptest.NewRequest(req.Method, req.URL, bytes.NewReader(req.Body))
	r.Header = req.Header.Clone()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return tracker.Response{Reach: tracker.Answered, Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
}
