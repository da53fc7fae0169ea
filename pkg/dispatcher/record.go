package dispatcher

import (
	"strings"
	"time"

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

// newRecord is what all records of a request have in common.
func (d *Dispatcher) newRecord(q *intakeRequest) event.Record {
	h := q.r.Header
	return event.Record{
		ReceivedAt: q.start.Truncate(time.Microsecond).UTC(),
		Source:     q.source.name,
		Context: event.Context{
			IP:        d.clientIP.of(q.r),
			UserAgent: headerText(firstValue(h["User-Agent"]), maxUserAgent),
			Origin:    headerText(q.origin, maxOrigin),
			Referrer:  headerText(firstValue(h["Referer"]), maxReferrer),
			RequestID: q.id,
			Purpose:   headerText(firstValue(h["Sec-Purpose"]), maxPurpose),
			Format:    q.dialect.format,
		},
	}
}

// encode writes a record for each element of the body.
func (q *intakeRequest) encode(r event.Record, content []byte, elements []element) *refusal {
	s := q.scratch
	if !q.memory.grow(len(content) + maxContextSize*len(elements)) {
		return refuseBusy()
	}
	sentAt := r.Context.SentAt
	for i := range elements {
		e := &elements[i]
		r.EventID, r.Data = e.eventID, content[e.start:e.end]
		if r.EventID == "" {
			r.EventID = newUUID(q.start)
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

// encoding is Context.Encoding: how the warehouse writes the data.
func encoding(binary bool) string {
	if binary {
		return "base64"
	}
	return ""
}

func firstValue(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// headerText cuts a header's value and makes it UTF-8, because it becomes JSON.
func headerText(s string, most int) string {
	return strings.ToValidUTF8(event.Truncate(s, most), "")
}
