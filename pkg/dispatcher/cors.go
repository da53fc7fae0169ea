package dispatcher

import "net/http"

// CORS by hand: two checks and a handful of constant headers, where a general
// middleware would parse and allocate on each request. Credentials are never
// allowed, so no cookie crosses origins, and answers to other origins hold
// nothing of the visitor's.

// Header values of CORS answers. They are never changed.
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

// share lets the page read the answer. It is set on refusals too, 403 included,
// so that the SDK sees a status instead of a network error and does not try
// again for nothing; what an origin may do is decided by the answer itself.
func share(h http.Header, from []string) {
	h["Vary"] = valueVary
	if len(from) == 1 && from[0] != "" {
		h["Access-Control-Allow-Origin"] = from
		h["Access-Control-Expose-Headers"] = valueExposed
	}
}

// preflight answers OPTIONS: yes to an origin of the source whose key is in the
// query or, without a key there (it will come as Authorization), of any source.
func (d *Dispatcher) preflight(x *exchange) {
	h := x.w.Header()
	h["Allow"] = valueAllow
	h["Vary"] = valueVaryPreflight
	x.status = http.StatusNoContent
	if x.origin != "" && d.allowsPreflight(x) {
		h["Access-Control-Allow-Origin"] = x.r.Header["Origin"]
		h["Access-Control-Allow-Methods"] = valueMethods
		h["Access-Control-Allow-Headers"] = valueAllowHeaders
		if asked := x.r.Header["Access-Control-Request-Headers"]; x.dialect.foreign && len(asked) == 1 && len(asked[0]) <= maxAsked {
			h["Access-Control-Allow-Headers"] = asked // what they are called changes with the SDK, and no header is acted on
		}
		h["Access-Control-Max-Age"] = valueMaxAge
	}
	x.w.WriteHeader(x.status)
}

func (d *Dispatcher) allowsPreflight(x *exchange) bool {
	if key := queryKey(x); key != "" {
		s, found := d.keys[key]
		if found {
			x.source = s
		}
		return found && s.origins.allow(x.origin)
	}
	for _, s := range d.sources {
		if s.origins.allow(x.origin) {
			return true
		}
	}
	return false
}
