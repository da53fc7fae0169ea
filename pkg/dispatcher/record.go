package dispatcher

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

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
		r.EventID, r.Data = e.EventID, content[e.start:e.end]
		if r.EventID == "" {
			r.EventID = newUUID(q.start)
		}
		r.Context.Invalid, r.Context.Encoding = e.fault, e.encoding
		if r.Context.SentAt = e.SentAt; e.SentAt.IsZero() {
			r.Context.SentAt = sentAt
		}
		s.encoded, _ = r.AppendBinary(s.encoded) // never fails
		s.ends = append(s.ends, len(s.encoded))
	}
	return nil
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

// newUUID makes a UUIDv7 (RFC 9562): 48 bits of milliseconds, 12 bits of the
// millisecond's fraction, 62 random bits. The random bits come from the runtime's
// ChaCha8 generator, which the operating system seeds: these ids must be unique,
// they are no secret. uuid.NewV7 reads the system's source and takes a lock that
// all requests share: 1.3 µs instead of 0.4 µs on a busy machine, and a request
// needs up to one id for each of its events and one of its own.
func newUUID(now time.Time) string {
	const version, variant, fractions = 7 << 12, 2 << 62, 1 << 12
	fraction := uint64(now.Nanosecond()%1e6) * fractions / 1e6
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|version|fraction)
	binary.BigEndian.PutUint64(id[8:], variant|rand.Uint64()>>2)
	return id.String()
}
