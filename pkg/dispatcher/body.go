package dispatcher

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// errTooLong and errNoMemory end the reading of a body.
var (
	errTooLong  = errors.New("longer than the limit")
	errNoMemory = errors.New("no memory left for bodies")
)

// readAll appends all of r to b, and reserves the memory that b needs. It fails with
// errTooLong as soon as there are more than limit bytes, and reads no more.
func readAll(r io.Reader, b []byte, limit int, memory *reservation) ([]byte, error) {
	if !memory.grow(cap(b)) {
		return b, errNoMemory
	}
	for {
		if len(b) == cap(b) {
			more := min(max(cap(b), 4096), limit+1-len(b))
			if !memory.grow(more) {
				return b, errNoMemory
			}
			grown := make([]byte, len(b), cap(b)+more)
			copy(grown, b)
			b = grown
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if len(b) > limit {
			return b, errTooLong
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// readBody reads a request's body as it was sent.
func (d *Dispatcher) readBody(q *intakeRequest) *refusal {
	limit := int(d.limits.Body)
	if q.r.ContentLength > int64(limit) {
		return tooLarge(reasonBodySize, "the body has %d bytes, the limit is %d; send smaller batches", q.r.ContentLength, limit)
	}
	if q.r.ContentLength == 0 {
		return refuseEmpty()
	}
	// An unread or slow body must not keep the connection busy: the deadline also
	// bounds what the server reads after a refusal. A writer that cannot set it
	// (in a test) has no connection.
	control := http.NewResponseController(q.w)
	_ = control.SetReadDeadline(time.Now().Add(d.limits.BodyTimeout))
	body, err := readAll(q.r.Body, q.scratch.body, limit, &q.memory)
	q.scratch.body = body
	q.source.metrics.bytes.Add(float64(len(body)))
	switch {
	case err == nil:
		_ = control.SetReadDeadline(time.Time{})
		if len(body) == 0 {
			return refuseEmpty()
		}
		return nil
	case errors.Is(err, errTooLong):
		return tooLarge(reasonBodySize, "the body has more than %d bytes, the limit; send smaller batches", limit)
	case errors.Is(err, errNoMemory):
		return refuseBusy()
	case errors.Is(err, os.ErrDeadlineExceeded):
		q.w.Header().Set("Connection", "close")
		return refuse(http.StatusRequestTimeout, reasonTimeout, "the body did not arrive within %s; send it again", d.limits.BodyTimeout)
	default:
		return refuse(http.StatusBadRequest, reasonBroken, "the body ended before its announced length; send it again")
	}
}

// The first bytes of a body decide what it is: clients forget a header, or keep one
// that their proxy has made wrong. JSON begins with neither.
var (
	gzipMagic     = []byte{0x1f, 0x8b}
	byteOrderMark = []byte("\ufeff")
)

// content is the body's content, inflated if it is gzip, without a byte order mark.
// The error says that a gzip body is damaged; its bytes stay in scratch.body.
func (d *Dispatcher) content(q *intakeRequest) (content []byte, f *refusal, damaged error) {
	content = q.scratch.body
	if bytes.HasPrefix(content, gzipMagic) {
		content, f, damaged = d.inflate(q)
	}
	return bytes.TrimPrefix(content, byteOrderMark), f, damaged
}

func (d *Dispatcher) inflate(q *intakeRequest) (content []byte, f *refusal, damaged error) {
	s := q.scratch
	s.compressed.Reset(s.body)
	defer s.compressed.Reset(nil)
	var err error
	if s.inflater == nil {
		s.inflater, err = gzip.NewReader(&s.compressed)
	} else {
		err = s.inflater.Reset(&s.compressed)
	}
	if err == nil {
		s.inflated, err = readAll(s.inflater, s.inflated, int(d.limits.Inflated), &q.memory)
	}
	switch {
	case err == nil && len(s.inflated) == 0:
		return nil, refuseEmpty(), nil
	case err == nil:
		return s.inflated, nil, nil
	case errors.Is(err, errTooLong):
		return nil, tooLarge(reasonBodySize, "the body inflates to more than %d bytes, the limit; send smaller batches", d.limits.Inflated), nil
	case errors.Is(err, errNoMemory):
		return nil, refuseBusy(), nil
	default:
		return nil, nil, errGzip
	}
}

var errGzip = errors.New("gzip that is damaged or cut short")

func refuseEmpty() *refusal {
	return refuse(http.StatusBadRequest, reasonEmpty, `the body is empty; send an event: {"event":"...","deviceId":"..."}`)
}

func refuseBusy() *refusal {
	return retryLater(http.StatusServiceUnavailable, reasonBusy, "too much is under way; send it again later", time.Second)
}

// checkType accepts JSON under the names clients send it by: application/json,
// anything+json, text/plain (which needs no preflight), the default types of curl and
// of some HTTP libraries, and no type at all.
func checkType(h http.Header) *refusal {
	value := h.Get("Content-Type")
	switch value {
	case "", "application/json", "text/plain", "text/plain;charset=UTF-8":
		return nil
	}
	name, _, err := mime.ParseMediaType(value)
	if (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) &&
		(slices.Contains(jsonTypes, name) || strings.HasSuffix(name, "+json")) {
		return nil
	}
	return refuse(http.StatusUnsupportedMediaType, reasonType, "Content-Type must be application/json or text/plain (with curl: -H 'Content-Type: application/json')")
}

var jsonTypes = []string{"application/json", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream"}

// checkEncoding refuses encodings other than gzip.
func checkEncoding(h http.Header) *refusal {
	switch strings.ToLower(h.Get("Content-Encoding")) {
	case "", "identity", "gzip", "x-gzip":
		return nil
	}
	return refuse(http.StatusUnsupportedMediaType, reasonEncoding, "Content-Encoding must be gzip, or none")
}
