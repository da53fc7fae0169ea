package tracker

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Tracker translates events for one vendor. It is pure: no I/O, no clock, and no
// state that changes after it was built. It is safe for concurrent use and never
// changes the events it is given. The lane sends the requests, so dry-run, replay,
// preview and golden tests all use the same code.
type Tracker interface {
	// Requests translates a batch. Each event of the batch is in exactly one
	// Request or one Rejection, by its index. An empty batch gives no requests. The
	// same batch always gives the same requests, byte for byte.
	Requests(batch []event.Event) ([]Request, []Rejection)

	// Judge interprets a response. Without a complete one, Response.Reach says how
	// far the request got. It returns one Verdict for each event of the request, in
	// the order of req.Events. It must cope with any response: HTML, truncated, huge,
	// empty.
	Judge(req Request, resp Response) []Verdict
}

// Request is one HTTP request to a vendor.
type Request struct {
	Events []int // indices into the batch it was made from, ascending
	Method string
	URL    string // may hold a secret in its query: never print it, see MaskURL
	Header http.Header
	Body   []byte
	// Before is a request that is sent first, or nil: the vendor's validation of the
	// same events, or data that it needs before them. It has the same Events, no
	// Before of its own, and can be repeated: the vendor takes no event from it.
	// Judge interprets its response, with *Before as the request. Only if that is
	// Deliver for every event, the request itself is sent, and the reason becomes the
	// reason of the delivered events. Otherwise those verdicts apply, with Again in
	// place of Deliver.
	Before *Request
}

// Rejection is an event that the vendor would refuse, with the rule it breaks.
type Rejection struct {
	Event  int    // index into the batch
	Reason string // for people: "name: longer than 40 characters"; no values of the event in it
	// Skip says that the tracker's configuration leaves the event out, not a rule of
	// the vendor: the outcome is filtered, not rejected.
	Skip bool
}

// Reach says how far a request got.
type Reach uint8

// The stages of a request. Below Written the body is incomplete, so the vendor
// cannot have taken the request.
const (
	NotConnected Reach = iota // no connection was opened
	NotWritten                // connected, but the body was not written to its end
	Written                   // the whole body was written, no complete answer came
	Answered                  // status, headers and body came (the body perhaps cut at the limit)
)

// String names a stage as the constants do.
func (r Reach) String() string {
	names := [...]string{"NotConnected", "NotWritten", "Written", "Answered"}
	if int(r) < len(names) {
		return names[r]
	}
	return "Reach(" + strconv.Itoa(int(r)) + ")"
}

// Response is what became of a Request.
type Response struct {
	Reach     Reach
	Status    int
	Header    http.Header
	Body      []byte // at most MaxResponse bytes
	Truncated bool   // the body was longer
	Err       error  // why Reach is below Answered; never holds the URL
	Received  time.Time
}

// MaxResponse is how many bytes of a response body are read.
const MaxResponse = 64 << 10

// Action is what to do about one event after a request.
type Action uint8

// The actions of a Verdict.
const (
	// Deliver: the vendor took the event.
	Deliver Action = iota + 1
	// Reject: the vendor refused this event for good.
	Reject
	// Uncertain: the vendor may have taken it, and sending it again could double it.
	Uncertain
	// Wait: the vendor cannot take anything now (an outage, a limit on the
	// whole project, a refused credential). The breaker opens, the cursor waits.
	Wait
	// Park: only this event must wait (its user is throttled).
	Park
	// Again: the vendor did not take it, but because of another event of the request.
	// It is sent again at once without those that were rejected or parked.
	Again
	// Halve: the vendor refused the whole request, because of one of its events or
	// its size. It is sent again at once in two halves. For a request of one event
	// it means Reject.
	Halve
)

// String names an action as the constants do.
func (a Action) String() string {
	names := [...]string{Deliver: "Deliver", Reject: "Reject", Uncertain: "Uncertain", Wait: "Wait", Park: "Park", Again: "Again", Halve: "Halve"}
	if int(a) < len(names) && names[a] != "" {
		return names[a]
	}
	return "Action(" + strconv.Itoa(int(a)) + ")"
}

// Verdict is what one response means for one event.
type Verdict struct {
	Action Action
	Reason string        // for people, and without secrets or values of the event
	After  time.Duration // of Wait and Park: the shortest wait; 0 leaves it to the lane's back-off
	// Alarm marks a Wait that does not end until somebody acts, such as for a refused
	// credential or a used-up quota.
	Alarm bool
}

// Traits are a vendor's properties and limits that a lane needs.
type Traits struct {
	// MaxBatch is how many events Requests is given at once, at most.
	MaxBatch int
	// Linger is how long the lane waits for a batch to fill.
	Linger time.Duration
	// Concurrency is how many requests may be under way at once.
	Concurrency int
	// Dedup says that the vendor drops repeats of an event by its id, so it is always
	// safe to send again. Without it the lane writes an intent before it sends, and
	// the events of a request without a response are uncertain.
	Dedup bool
	// Window is how far back the vendor takes events; older ones are rejected
	// before they are sent. 0 means no limit.
	MaxEventAge time.Duration
	// Rate limits events per second over all requests, Burst at once; 0 means
	// no limit.
	Rate  float64
	Burst int
	// IdentityRate is how many events of one identity the vendor takes in a minute;
	// others wait. 0 means no limit. Identity returns an event's identity as the
	// vendor counts it, or "". It is pure, and required with IdentityRate.
	IdentityRate int
	Identity     func(*event.Event) string
	// Secrets are the credentials in requests. Any part of a request or response that
	// is kept or shown must pass through Redact with them.
	Secrets []Secret
	// Unencrypted says that requests go to another machine without TLS, which a
	// production environment refuses.
	Unencrypted bool
}
