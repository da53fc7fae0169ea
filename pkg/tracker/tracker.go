package tracker

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Tracker translates events for one vendor. It is pure: no I/O, no clock, no
// state that changes after it was built; it is safe for concurrent use and
// never changes the events it is given. The lane performs the requests, so
// that dry-run, replay, preview and golden tests are all the same code.
type Tracker interface {
	// Requests translates a batch. Each event of the batch is in exactly one
	// Request or one Rejection, by its index. Requests of an empty batch are
	// none. The same batch always gives the same requests, byte for byte.
	Requests(batch []event.Event) ([]Request, []Rejection)

	// Judge reads a vendor's answer, or how far the request got without one.
	// It returns one Verdict for each event of the request, in the order of
	// req.Events. Any response is possible: HTML, truncated, huge, empty.
	Judge(req Request, resp Response) []Verdict
}

// Request is one HTTP request to a vendor.
type Request struct {
	Events []int // indices into the batch it was made from, ascending
	Method string
	URL    string // may hold a secret in its query: never print it, see MaskURL
	Header http.Header
	Body   []byte
	// Before is a request that goes first, or nil: the vendor's check of the same
	// events, or what it must know before it gets them. It names the same Events,
	// has no Before of its own, and is harmless to repeat: by it alone the vendor
	// takes no event. Judge reads its answer, with *Before as the request. Only when
	// it says Deliver of every event the request itself is sent, and the reason it
	// gives becomes the delivered events'. Otherwise its verdicts hold, with Again
	// for those that it would have let through.
	Before *Request
}

// Rejection is an event that the vendor would refuse, with the rule it breaks.
type Rejection struct {
	Event  int    // index into the batch
	Reason string // for people: "name: longer than 40 characters"; no values of the event in it
	// Skip says that the tracker's configuration leaves the event out, rather
	// than a rule of the vendor's: the outcome is filtered, not rejected.
	Skip bool
}

// Reach says how far a request got.
type Reach uint8

// The stages of a request. A vendor cannot have taken a request that is below
// Written: its body is incomplete.
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

// MaxResponse is how much of a vendor's answer is read, in bytes.
const MaxResponse = 64 << 10

// Action is what to do about one event after a request.
type Action uint8

// The actions of a Verdict.
const (
	// Deliver: the vendor took the event.
	Deliver Action = iota + 1
	// Reject: the vendor refused this event for good.
	Reject
	// Uncertain: it may have been taken, and sending again could double it.
	Uncertain
	// Wait: the vendor cannot take anything now (an outage, a limit on the
	// whole project, a refused credential). The breaker opens, the cursor waits.
	Wait
	// Park: this event alone must wait (its user is throttled).
	Park
	// Again: not taken, through no fault of this event; send it again at once
	// without the events that were rejected or parked beside it.
	Again
	// Halve: the request as a whole was refused and the cause is one of its
	// events or its size; send it again at once in two halves. For a request of
	// one event it means Reject.
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
	After  time.Duration // for Wait and Park: not sooner than this; 0 leaves it to the lane's back-off
	// Alarm marks a Wait that will not pass by itself, such as a refused
	// credential or a used-up quota: somebody must act.
	Alarm bool
}

// Traits is what a lane must know of a vendor, beside the translation.
type Traits struct {
	// MaxBatch is how many events Requests is given at once, at most.
	MaxBatch int
	// Linger is how long the lane waits for a batch to fill.
	Linger time.Duration
	// Concurrency is how many requests may be under way at once.
	Concurrency int
	// Dedup says that the vendor drops repeats of an event by its id, so that
	// sending again is always safe. Without it the lane writes an intent before
	// it sends, and an unanswered request makes its events uncertain.
	Dedup bool
	// Window is how far back the vendor takes events; older ones are rejected
	// before they are sent. 0 means no limit.
	Window time.Duration
	// Rate limits events per second over all requests, Burst at once; 0 means
	// no limit.
	Rate  float64
	Burst int
	// IdentityRate is how many events of one identity the vendor takes in a minute;
	// those beyond wait. 0 means no limit. Identity names an event's identity as the
	// vendor counts it, or "": it is pure, and needed with IdentityRate.
	IdentityRate int
	Identity     func(*event.Event) string
	// Secrets are the credentials that requests carry: whoever keeps or shows
	// any part of an exchange passes it through Redact with them.
	Secrets []Secret
	// Unencrypted says that requests go in the clear to another machine, which
	// a production environment refuses.
	Unencrypted bool
}
