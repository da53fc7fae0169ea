package dispatcher

import (
	"fmt"
	"net/http"
	"time"
)

// refusal is why a request is not accepted: an answer other than 200.
type refusal struct {
	status  int
	reason  string // one of the reasons below: `code` of the answer, and a metric's label
	message string // says what to do
	after   time.Duration
	err     error // what the log returned, to report; never shown to the client
}

// The reasons of a refusal: the `code` of an error's answer.
const (
	reasonMethod    = "method"     // 405
	reasonKey       = "key"        // 401
	reasonOrigin    = "origin"     // 403
	reasonType      = "type"       // 415: Content-Type
	reasonEncoding  = "encoding"   // 415: Content-Encoding
	reasonEmpty     = "empty"      // 400
	reasonMalformed = "malformed"  // 400, and kept
	reasonBroken    = "broken"     // 400: the body did not arrive as announced
	reasonTimeout   = "timeout"    // 408
	reasonBodySize  = "body_size"  // 413
	reasonEventSize = "event_size" // 413
	reasonBatchSize = "batch_size" // 413
	reasonBurst     = "burst"      // 413
	reasonRate      = "rate"       // 429
	reasonBusy      = "busy"       // 503: memory
	reasonDraining  = "draining"   // 503
	reasonLog       = "log"        // 503: the journal cannot append
	reasonPanic     = "internal"   // 500
)

func refuse(status int, reason, format string, args ...any) *refusal {
	return &refusal{status: status, reason: reason, message: fmt.Sprintf(format, args...)}
}

// retryLater is a refusal after which the client should send the request again.
func retryLater(status int, reason, message string, after time.Duration) *refusal {
	return &refusal{status: status, reason: reason, message: message, after: max(after, time.Second)}
}

func tooLarge(reason, format string, args ...any) *refusal {
	return refuse(http.StatusRequestEntityTooLarge, reason, format, args...)
}
