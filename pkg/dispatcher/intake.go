package dispatcher

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// intakeRequest is one request to the intake and what its answer needs.
type intakeRequest struct {
	w      http.ResponseWriter
	r      *http.Request
	start  time.Time
	id     string
	origin string  // the Origin header, "" for none
	source *source // the anonymous one until the key is known

	dialect *dialect // of the path
	scratch *scratch
	memory  reservation
	// scratchInUse: a log that gave up on its records may still read the scratch.
	scratchInUse bool
	status       int // of the answer, 0 before it
}

// intake is the handler of a dialect's paths.
func (d *Dispatcher) intake(of *dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		q := intakeRequest{w: w, r: r, start: now, id: requestID(r, now), origin: firstValue(r.Header["Origin"]), source: d.anonymous, dialect: of}
		q.memory.from = &d.budget
		d.metrics.inFlight.Inc()
		defer d.finish(&q)
		setCommon(w.Header(), q.id)
		if r.Method == http.MethodOptions {
			d.preflight(&q)
			return
		}
		setCORS(w.Header(), r.Header["Origin"])
		if f := d.accept(&q); f != nil {
			d.refuse(&q, of.adapt(f))
			return
		}
		q.status = http.StatusOK
		q.source.browser.renew(w.Header(), r)
		writeJSON(w, q.status, q.scratch.answer)
	}
}

// accept makes the request's events durable, or returns why not. The package
// documents the order of the checks.
func (d *Dispatcher) accept(q *intakeRequest) *refusal {
	authorized, f := d.authorize(q)
	if f != nil {
		return f
	}
	q.scratch = d.pool.get()
	if f := d.readBody(q); f != nil {
		return f
	}
	content, f, damaged := d.content(q)
	if f != nil {
		return f
	}
	if damaged != nil {
		if !authorized {
			return refuseKey()
		}
		return d.storeMalformed(q, q.scratch.body, damaged)
	}
	b, err := q.dialect.split(content, q.scratch.elements, d.limits.Events, int(d.limits.Event))
	if !authorized {
		if q.source, f = d.findSource(b.writeKey(), q.origin); f != nil {
			return f
		}
	}
	if err != nil {
		return d.storeMalformed(q, content, err)
	}
	q.scratch.elements = b.elements
	if f := d.checkSizes(b); f != nil {
		return f
	}
	return d.store(q, content, b)
}

// authorize decides by the request's header alone, before the body is read.
// authorized is false when the key may be in the body.
func (d *Dispatcher) authorize(q *intakeRequest) (authorized bool, f *refusal) {
	if q.r.Method != http.MethodPost {
		q.w.Header()["Allow"] = valueAllow
		return false, refuse(http.StatusMethodNotAllowed, reasonMethod, "send events with POST")
	}
	if d.draining.Load() {
		q.w.Header().Set("Connection", "close")
		return false, retryLater(http.StatusServiceUnavailable, reasonDraining, "shutting down; send it again", time.Second)
	}
	if key := requestKey(q); key != "" || !q.dialect.foreign {
		if q.source, f = d.findSource(key, q.origin); f != nil {
			return false, f
		}
		authorized = true
	}
	if !q.dialect.foreign {
		if f := checkType(q.r.Header); f != nil {
			return authorized, f
		}
	}
	if f = checkEncoding(q.r.Header); f != nil {
		q.w.Header().Set("Accept-Encoding", "gzip")
	}
	return authorized, f
}

// findSource finds the source that a write key belongs to, and checks that a page
// of the origin, "" for none, may use the key.
func (d *Dispatcher) findSource(key, origin string) (*source, *refusal) {
	s, found := d.keys[key]
	if !found {
		return d.anonymous, refuseKey()
	}
	if origin != "" && !s.allow(origin) {
		return s, refuse(http.StatusForbidden, reasonOrigin, "this origin may not use the key; add it to the source's origins")
	}
	return s, nil
}

func refuseKey() *refusal {
	return refuse(http.StatusUnauthorized, reasonKey, "unknown or missing write key; send a source's key as ?key=... or as Authorization: Bearer")
}

func (d *Dispatcher) checkSizes(b batch) *refusal {
	if b.count > d.limits.Events {
		return tooLarge(reasonBatchSize, "the batch has %d events, the limit is %d; send smaller batches", b.count, d.limits.Events)
	}
	for i := range b.elements {
		if size := b.elements[i].end - b.elements[i].start; size > int(d.limits.Event) {
			return tooLarge(reasonEventSize, "event %d has %d bytes, the limit is %d", i, size, d.limits.Event)
		}
	}
	return nil
}

// store makes a batch durable and prepares the answer.
func (d *Dispatcher) store(q *intakeRequest, content []byte, b batch) *refusal {
	if f := d.checkRate(q, len(b.elements)); f != nil {
		return f
	}
	r := d.newRecord(q)
	if r.Context.SentAt = b.sentAt; b.sentAt.IsZero() {
		r.Context.SentAt = clientClock(parameter(q.r.URL.RawQuery, "t"))
	}
	if f := q.encode(r, content, b.elements); f != nil {
		return f
	}
	if f := d.append(q); f != nil {
		return f
	}
	invalid := 0
	for i := range b.elements {
		if b.elements[i].fault != "" {
			invalid++
		}
	}
	q.source.metrics.valid.Add(float64(len(b.elements) - invalid))
	if invalid > 0 {
		q.source.metrics.invalid.Add(float64(invalid))
	}
	q.scratch.answer = q.dialect.accepted(q.scratch.answer, b.elements)
	return nil
}

// storeMalformed makes a body that is not JSON durable, and refuses it.
func (d *Dispatcher) storeMalformed(q *intakeRequest, body []byte, why error) *refusal {
	if f := d.checkRate(q, 1); f != nil {
		return f
	}
	r := d.newRecord(q)
	r.Context.Malformed = why.Error()
	if f := q.encode(r, body, []element{{end: len(body), encoding: encodingOf(body)}}); f != nil {
		return f
	}
	if f := d.append(q); f != nil {
		return f
	}
	q.source.metrics.malformed.Inc()
	return refuse(http.StatusBadRequest, reasonMalformed, "%s; the body was kept for inspection, do not send it again unchanged", why)
}

// checkRate counts n events against the source's rate.
func (d *Dispatcher) checkRate(q *intakeRequest, n int) *refusal {
	wait, possible := q.source.reserve(n, q.start)
	if !possible {
		return tooLarge(reasonBurst, "the batch has %d events, the source's burst is %d; send smaller batches", n, q.source.limiter.Burst())
	}
	if wait > 0 {
		return retryLater(http.StatusTooManyRequests, reasonRate, "the source is over its rate; send it again later", wait)
	}
	return nil
}

// append makes the encoded records durable: the answer waits for it. An empty
// batch needs no append.
func (d *Dispatcher) append(q *intakeRequest) *refusal {
	records := q.scratch.slices()
	if len(records) == 0 {
		return nil
	}
	_, err := d.log.Append(q.r.Context(), records)
	if err == nil {
		return nil
	}
	q.scratchInUse = true
	if fault.IsPermanent(err) {
		return tooLarge(reasonBodySize, "the request is too large to be stored in one piece; send smaller batches")
	}
	f := retryLater(http.StatusServiceUnavailable, reasonLog, "events cannot be stored now; send it again later", time.Second)
	if wait, known := fault.RetryAfter(err); known {
		f.after = max(f.after, wait)
	}
	if q.r.Context().Err() == nil { // otherwise the client went away
		f.err = fmt.Errorf("append events: %w", err)
	}
	return f
}

// refuse answers with a refusal, counts it, and reports a failure on our side.
func (d *Dispatcher) refuse(q *intakeRequest, f *refusal) {
	q.status = f.status
	if q.scratch == nil {
		// The server reads what is left of a body before it answers; the
		// deadline keeps a slow one from blocking the connection.
		_ = http.NewResponseController(q.w).SetReadDeadline(time.Now().Add(d.limits.BodyTimeout))
	}
	d.metrics.refused.WithLabelValues(q.source.name, f.reason).Inc()
	if f.err != nil {
		d.report(f.reason, f.err)
	}
	writeRefusal(q.w, f)
}

// finish frees what the request used, and counts it. It turns a panic into an
// incident and a 500.
func (d *Dispatcher) finish(q *intakeRequest) {
	p := recover()
	if p != nil {
		q.scratchInUse = true
	}
	abort := p == http.ErrAbortHandler // the server's own way to drop a connection
	if p != nil && !abort {
		d.recovered(q, p)
	}
	if q.scratch != nil && !q.scratchInUse {
		d.pool.put(q.scratch)
	}
	q.memory.release()
	d.metrics.inFlight.Dec()
	d.metrics.observe(&q.source.metrics, q.status, time.Since(q.start))
	if abort {
		panic(p)
	}
}

func (d *Dispatcher) recovered(q *intakeRequest, p any) {
	// The value of a panic could be a client's data: its type and the stack are
	// enough to find the fault.
	d.report(reasonPanic, fmt.Errorf("panic of type %T\n%s", p, debug.Stack()))
	if q.status == 0 {
		d.refuse(q, refuse(http.StatusInternalServerError, reasonPanic, "internal error; it was reported"))
	}
}
