package dispatcher

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// How much of a request's headers is kept with its records, in bytes.
const (
	maxUserAgent = 512
	maxOrigin    = 256
	maxReferrer  = 1024
	maxPurpose   = 64
	// maxContextSize bounds a record's encoding without its data: beside these
	// its ids (640 at most), its source, and the text of a fault (1 kB).
	maxContextSize = maxUserAgent + maxOrigin + maxReferrer + maxPurpose + 2048
)

// seen is what every record of a request has in common.
func (d *Dispatcher) seen(x *exchange) event.Record {
	h := x.r.Header
	return event.Record{
		ReceivedAt: x.began.Truncate(time.Microsecond).UTC(),
		Source:     x.source.name,
		Context: event.Context{
			IP:        d.clientIP.of(x.r),
			UserAgent: kept(first(h["User-Agent"]), maxUserAgent),
			Origin:    kept(x.origin, maxOrigin),
			Referrer:  kept(first(h["Referer"]), maxReferrer),
			RequestID: x.id,
			Purpose:   kept(first(h["Sec-Purpose"]), maxPurpose),
			Format:    x.dialect.format,
		},
	}
}

// encode writes a record for each element of the body.
func (x *exchange) encode(r event.Record, content []byte, elements []element) *refusal {
	s := x.scratch
	if !x.lease.grow(len(content) + maxContextSize*len(elements)) {
		return refuseBusy()
	}
	sentAt := r.Context.SentAt
	for i := range elements {
		e := &elements[i]
		r.EventID, r.Data = e.eventID, content[e.start:e.end]
		if r.EventID == "" {
			r.EventID = newUUID(x.began)
		}
		r.Context.Invalid, r.Context.Encoding = e.fault, encoding(e.binary)
		if r.Context.SentAt = e.sentAt; e.sentAt.IsZero() {
			r.Context.SentAt = sentAt
		}
		s.encoded, _ = r.AppendBinary(s.encoded) // never fails
		s.endRecord()
	}
	return nil
}

// encodeMalformed writes one record of a whole body that is not JSON.
func (x *exchange) encodeMalformed(r event.Record, body []byte, why string) *refusal {
	if !x.lease.grow(len(body) + maxContextSize) {
		return refuseBusy()
	}
	r.EventID, r.Data = newUUID(x.began), body
	r.Context.Malformed, r.Context.Encoding = why, encoding(!utf8.Valid(body))
	x.scratch.encoded, _ = r.AppendBinary(x.scratch.encoded) // never fails
	x.scratch.endRecord()
	return nil
}

// encoding is Context.Encoding: how the warehouse will write the data.
func encoding(binary bool) string {
	if binary {
		return "base64"
	}
	return ""
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// kept cuts a header's value and makes it UTF-8, for it becomes JSON.
func kept(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
