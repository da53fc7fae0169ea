package dispatcher

import (
	"net/http"
	"slices"
)

// CORS by hand: two checks and a handful of constant headers, where a general
// middleware would parse and allocate on each request. Credentials are never
// allowed, so no cookie crosses origins, and answers to other origins have
// nothing of the visitor's.

// Header values of CORS answers. They must not be changed.
var (
	valueVary          = []string{"Origin"}
	valueVaryPreflight = []string{"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
	valueExposed       = []string{"Retry-After, X-Request-Id"}
	valueMethods       = []string{"POST"}
	valueAllowHeaders  = []string{"Authorization, Content-Type, Content-Encoding, X-Request-Id"}
	valueMaxAge        = []string{"7200"} // browsers cap it at two hours or less
	valueRead          = []string{"GET"}
	valueAllowRead     = []string{"GET, HEAD, OPTIONS"}
	valueAllow         = []string{"OPTIONS, POST"}
)

// maxAsked bounds the names of headers that a preflight may have repeated, in bytes.
const maxAsked = 1024

// setCORS lets the page read the answer. Refusals have these headers too, 403
// included: without them the SDK sees a network error instead of a status, and
// retries in vain.
func setCORS(h http.Header, from []string) {
	h["Vary"] = valueVary
	if len(from) == 1 && from[0] != "" {
		h["Access-Control-Allow-Origin"] = from
		h["Access-Control-Expose-Headers"] = valueExposed
	}
}

// preflight answers OPTIONS: yes to an origin of the source whose key is in the
// query or, without a key there (it will come as Authorization), of any source.
func (d *Dispatcher) preflight(q *intakeRequest) {
	h := q.w.Header()
	h["Allow"] = valueAllow
	h["Vary"] = valueVaryPreflight
	q.status = http.StatusNoContent
	if q.origin != "" && d.allowsPreflight(q) {
		h["Access-Control-Allow-Origin"] = q.r.Header["Origin"]
		h["Access-Control-Allow-Methods"] = valueMethods
		h["Access-Control-Allow-Headers"] = valueAllowHeaders
		if asked := q.r.Header["Access-Control-Request-Headers"]; q.dialect.foreign && len(asked) == 1 && len(asked[0]) <= maxAsked {
			h["Access-Control-Allow-Headers"] = asked // their names differ by SDK and version; none of them changes what we do
		}
		h["Access-Control-Max-Age"] = valueMaxAge
	}
	q.w.WriteHeader(q.status)
}

func (d *Dispatcher) allowsPreflight(q *intakeRequest) bool {
	if key := queryKey(q); key != "" {
		var f *refusal
		q.source, f = d.findSource(key, q.origin)
		return f == nil
	}
	return slices.ContainsFunc(d.sources, func(s *source) bool { return s.allow(q.origin) })
}
