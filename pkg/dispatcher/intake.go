package dispatcher

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// exchange is one request to the intake and its answer.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	began  time.Time
	id     string
	origin string  // the Origin header, "" for none
	source *source // the anonymous one until the key is known
	gzip   bool

	dialect *dialect // of the path
	scratch *scratch
	lease   lease
	// spent: the scratch may still be read by a log that gave up on it.
	spent  bool
	status int // of the answer, 0 before it
}

// intake is the handler of the paths at which a dialect is spoken.
func (d *Dispatcher) intake(spoken *dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { d.serveEvents(w, r, spoken) }
}

// serveEvents answers one request of a dialect's.
func (d *Dispatcher) serveEvents(w http.ResponseWriter, r *http.Request, spoken *dialect) {
	now := time.Now()
	x := exchange{w: w, r: r, began: now, id: requestID(r, now), origin: first(r.Header["Origin"]), source: d.anonymous, dialect: spoken}
	x.lease.from = &d.budget
	d.metrics.inFlight.Inc()
	defer d.finish(&x)
	setCommon(w.Header(), x.id)
	if r.Method == http.MethodOptions {
		d.preflight(&x)
		return
	}
	share(w.Header(), r.Header["Origin"])
	if f := d.accept(&x); f != nil {
		d.refuse(&x, spoken.understood(f))
		return
	}
	x.status = http.StatusOK
	x.source.browser.renew(w.Header(), r)
	writeJSON(w, x.status, x.scratch.answer)
}

// accept takes the request's events, or says why not. The order of the checks
// is documented with the package.
func (d *Dispatcher) accept(x *exchange) *refusal {
	known, f := d.admit(x)
	if f != nil {
		return f
	}
	x.scratch = d.pool.get()
	if f := d.receive(x); f != nil {
		return f
	}
	content, f, damaged := d.inflate(x)
	if f != nil {
		return f
	}
	if damaged != nil {
		if !known {
			return refuseKey()
		}
		return d.keepMalformed(x, x.scratch.body, damaged)
	}
	b, err := x.dialect.split(content, x.scratch.elements, d.limits.Events, int(d.limits.Event))
	if !known {
		if f := d.enter(x, b.writeKey()); f != nil {
			return f
		}
	}
	if err != nil {
		return d.keepMalformed(x, content, err)
	}
	x.scratch.elements = b.elements
	if f := d.checkSizes(b); f != nil {
		return f
	}
	return d.keep(x, content, b)
}

// admit decides by the request's header alone, before its body is read. known is
// false when the key is still to come, in the body.
func (d *Dispatcher) admit(x *exchange) (known bool, f *refusal) {
	if x.r.Method != http.MethodPost {
		x.w.Header()["Allow"] = valueAllow
		return false, refuse(http.StatusMethodNotAllowed, reasonMethod, "send events with POST")
	}
	if d.draining.Load() {
		x.w.Header().Set("Connection", "close")
		return false, later(http.StatusServiceUnavailable, reasonDraining, "shutting down; send it again", time.Second)
	}
	if key := requestKey(x); key != "" || !x.dialect.foreign {
		if f := d.enter(x, key); f != nil {
			return false, f
		}
		known = true
	}
	if !x.dialect.foreign {
		if f := checkType(x.r.Header); f != nil {
			return known, f
		}
	}
	zipped, f := checkEncoding(x.r.Header)
	if f != nil {
		x.w.Header().Set("Accept-Encoding", "gzip")
	}
	x.gzip = zipped
	return known, f
}

// enter finds the source that a write key belongs to, if the request's origin may
// use it.
func (d *Dispatcher) enter(x *exchange, key string) *refusal {
	s, found := d.keys[key]
	if !found {
		return refuseKey()
	}
	x.source = s
	if x.origin != "" && !s.origins.allow(x.origin) {
		return refuseOrigin()
	}
	return nil
}

func refuseOrigin() *refusal {
	return refuse(http.StatusForbidden, reasonOrigin, "this origin may not use the key; add it to the source's origins")
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

// keep makes a batch durable and prepares the answer.
func (d *Dispatcher) keep(x *exchange, content []byte, b batch) *refusal {
	if f := d.spend(x, len(b.elements)); f != nil {
		return f
	}
	r := d.seen(x)
	if r.Context.SentAt = b.sentAt; b.sentAt.IsZero() {
		r.Context.SentAt = clientClock(parameter(x.r.URL.RawQuery, "t"))
	}
	if f := x.encode(r, content, b.elements); f != nil {
		return f
	}
	if f := d.append(x); f != nil {
		return f
	}
	invalid := 0
	for i := range b.elements {
		if b.elements[i].fault != "" {
			invalid++
		}
	}
	x.source.metrics.valid.Add(float64(len(b.elements) - invalid))
	if invalid > 0 {
		x.source.metrics.invalid.Add(float64(invalid))
	}
	x.scratch.answer = x.dialect.accepted(x.scratch.answer, b.elements)
	return nil
}

// keepMalformed makes a body that is not JSON durable, and refuses it.
func (d *Dispatcher) keepMalformed(x *exchange, body []byte, why error) *refusal {
	if f := d.spend(x, 1); f != nil {
		return f
	}
	if f := x.encodeMalformed(d.seen(x), body, why.Error()); f != nil {
		return f
	}
	if f := d.append(x); f != nil {
		return f
	}
	x.source.metrics.malformed.Inc()
	return refuse(http.StatusBadRequest, reasonMalformed, "%s; the body was kept for inspection, do not send it again unchanged", why)
}

// spend takes n events from the source's rate.
func (d *Dispatcher) spend(x *exchange, n int) *refusal {
	wait, possible := x.source.take(n, x.began)
	if !possible {
		return tooLarge(reasonBurst, "the batch has %d events, the source's burst is %d; send smaller batches", n, x.source.limiter.Burst())
	}
	if wait > 0 {
		return later(http.StatusTooManyRequests, reasonRate, "the source is over its rate; send it again later", wait)
	}
	return nil
}

// append makes the encoded records durable. Nothing is answered before it is
// done. An empty batch needs no append.
func (d *Dispatcher) append(x *exchange) *refusal {
	records := x.scratch.slices()
	if len(records) == 0 {
		return nil
	}
	_, err := d.log.Append(x.r.Context(), records)
	if err == nil {
		return nil
	}
	x.spent = true
	if fault.IsPermanent(err) {
		return tooLarge(reasonBodySize, "the request is too large to be stored in one piece; send smaller batches")
	}
	f := later(http.StatusServiceUnavailable, reasonLog, "events cannot be stored now; send it again later", time.Second)
	if wait, known := fault.RetryAfter(err); known {
		f.after = max(f.after, wait)
	}
	if x.r.Context().Err() == nil { // otherwise the client went away
		f.err = fmt.Errorf("append events: %w", err)
	}
	return f
}

// refuse answers a refusal, counts it and tells the observer of a fault of ours.
func (d *Dispatcher) refuse(x *exchange, f *refusal) {
	x.status = f.status
	if x.scratch == nil {
		// The server reads what is left of a body before it answers; the
		// deadline keeps a slow one from holding the connection.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(d.limits.BodyTimeout))
	}
	d.metrics.refused.WithLabelValues(x.source.name, f.reason).Inc()
	if f.err != nil {
		d.observe(f.reason, f.err)
	}
	writeRefusal(x.w, f)
}

// finish returns what the exchange holds and counts it; it also turns a panic
// into an incident and a 500.
func (d *Dispatcher) finish(x *exchange) {
	p := recover()
	if p != nil {
		x.spent = true
	}
	abort := p == http.ErrAbortHandler // the server's own way to drop a connection
	if p != nil && !abort {
		d.recovered(x, p)
	}
	if x.scratch != nil && !x.spent {
		d.pool.put(x.scratch)
	}
	x.lease.release()
	d.metrics.inFlight.Dec()
	d.metrics.answered(&x.source.metrics, x.status, time.Since(x.began))
	if abort {
		panic(p)
	}
}

func (d *Dispatcher) recovered(x *exchange, p any) {
	// The value of a panic could hold a client's data: its type and the stack
	// are enough to find the fault.
	d.observe(reasonPanic, fmt.Errorf("panic of type %T\n%s", p, debug.Stack()))
	if x.status == 0 {
		d.refuse(x, refuse(http.StatusInternalServerError, reasonPanic, "internal error; it was reported"))
	}
}
