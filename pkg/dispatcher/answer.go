package dispatcher

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Header values that many answers share. They are never changed.
var (
	valueJSON     = []string{"application/json"}
	valueNoStore  = []string{"no-store"}
	valueNosniff  = []string{"nosniff"}
	valueNoPolicy = []string{"default-src 'none'; frame-ancestors 'none'"}
)

// setCommon sets the headers of every answer: the request's id, and those that
// keep a browser from caching, sniffing or rendering it.
func setCommon(h http.Header, requestID string) {
	h["X-Request-Id"] = []string{requestID}
	h["Cache-Control"] = valueNoStore
	h["X-Content-Type-Options"] = valueNosniff
	h["Content-Security-Policy"] = valueNoPolicy
}

// requestID is the client's X-Request-Id when it is valid, or a new id.
func requestID(r *http.Request, now time.Time) string {
	if values := r.Header["X-Request-Id"]; len(values) == 1 && validRequestID(values[0]) {
		return values[0]
	}
	return newUUID(now)
}

// validRequestID reports whether s can stand in headers, logs and tables: 1-128 of
// A-Z a-z 0-9 - _ . : / + =
func validRequestID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '-' <= c && c <= ':', c == '_', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}

// writeJSON sends a complete JSON answer. body ends with a newline, for people who
// read it in a terminal.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = valueJSON
	w.WriteHeader(status)
	_, _ = w.Write(body) // nothing to do when the client is gone
}

// writeRefusal answers {"error":message,"code":reason}.
func writeRefusal(w http.ResponseWriter, f *refusal) {
	if f.after > 0 {
		seconds := int(math.Ceil(f.after.Seconds()))
		w.Header()["Retry-After"] = []string{strconv.Itoa(seconds)}
	}
	b := make([]byte, 0, 192)
	b = append(b, `{"error":`...)
	b = event.AppendQuoted(b, f.message)
	b = append(b, `,"code":`...)
	b = event.AppendQuoted(b, f.reason)
	writeJSON(w, f.status, append(b, "}\n"...))
}

// appendAccepted writes {"accepted":n} with the faults of invalid elements.
func appendAccepted(b []byte, elements []element) []byte {
	b = append(b, `{"accepted":`...)
	b = strconv.AppendInt(b, int64(len(elements)), 10)
	return appendFaults(b, elements)
}

// appendSuccess writes {"success":true}, as Segment does, with the faults of
// invalid elements.
func appendSuccess(b []byte, elements []element) []byte {
	return appendFaults(append(b, `{"success":true`...), elements)
}

// appendFaults ends an answer with the faults of invalid elements, if there are any.
func appendFaults(b []byte, elements []element) []byte {
	separator, end := `,"invalid":[`, "}\n"
	for i := range elements {
		if elements[i].fault == "" {
			continue
		}
		b = append(append(b, separator...), `{"index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"error":`...)
		b = append(event.AppendQuoted(b, elements[i].fault), '}')
		separator, end = ",", "]}\n"
	}
	return append(b, end...)
}

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
