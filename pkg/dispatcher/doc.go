// Package dispatcher is Sparrow's HTTP intake. It checks the write key, the
// origin and the limits, splits a body into events, adds what it saw of the request
// to each, makes them durable in one append, and answers. It does not depend on the
// plan, the warehouse or a vendor, and works while those are down.
//
// It promises:
//
//   - No 2xx before Log.Append (the journal's) returned without an error.
//   - Event bytes are kept exactly as they were sent, from the first byte of
//     the JSON value to its last. A body that is not JSON is kept whole, marked
//     malformed; an element that breaks the contract of an event is kept, marked
//     invalid.
//   - All records of a request go into one Append, so that a request is stored
//     whole or not at all.
//   - Memory is bounded: by the limits of a request, and by the bytes that all
//     requests together may reserve (503 beyond). The body of a request that its
//     key or origin refuses is not read, unless the key may be in the body.
//
// # Forms of a body
//
//	{"event":"...",...}                     one event
//	[{...},{...}]                           a batch; [] is accepted as 0 events
//	{"events":[{...}],"sentAt":"RFC3339"}   a batch with the client's clock
//
// The third form is an object with one member "events" that is an array, and no
// member "event". Its "sentAt" is kept when it is an RFC 3339 time and ignored
// otherwise. Without it, the query's "t" (milliseconds since 1970) is used, for a
// client whose retries must have the same body. Other members are ignored. Any
// other JSON value is one record: a scalar body is one invalid event, answered
// 200 with its fault.
//
// # The id cookie
//
// With a source's Browser.Cookie, a 200 sets the request's cookie sparrow_id again,
// with the same value: browsers keep a cookie that a server set longer than one that
// a script set. Its value is not used, and no other cookie is read.
//
// # Other clients' SDKs
//
// At the paths of Segment's API the elements are messages of that API, one or
// {"batch":[...]}; package segment checks them. Their records have that format in
// Context.Format; nothing is translated here. A key that is not in the header is read
// from the body. Any Content-Type is accepted. A preflight allows the headers that it
// asks for. A body that is too slow is answered 503, because RudderStack's SDK drops
// events on 408. The settings that the browser SDKs fetch first are served too.
//
// # Order of checks
//
// method, draining, key, origin, content type and encoding, announced length,
// memory, body, syntax, batch size, event sizes, rate, append. Syntax comes before
// sizes, so that a body that is not JSON is always kept (up to the body limit). A key
// in the body is checked after the body was split.
package dispatcher
