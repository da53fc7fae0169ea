// Package dispatcher is Sparrow's HTTP intake. It checks the write key, the
// origin and the limits, splits a body into events, stamps each with what it
// saw of the request, makes them durable in one append, and answers. It knows
// no plan, no warehouse and no vendor, and keeps answering while those are down.
//
// It promises:
//
//   - No 2xx before the log's Append returned without an error.
//   - Event bytes are kept exactly as they were sent, from the first byte of
//     the JSON value to its last. A body that is not JSON is kept whole, marked
//     malformed; an element that breaks the contract of an event is kept, marked
//     invalid.
//   - All records of a request go into one Append, so that a request is stored
//     whole or not at all.
//   - Memory is bounded: by the limits of a request, and by the bytes that all
//     requests together may hold (503 beyond). A request that is refused by its
//     key or origin is not read, unless its key may stand in the body.
//
// # Forms of a body
//
//	{"event":"...",...}                     one event
//	[{...},{...}]                           a batch; [] is accepted as 0 events
//	{"events":[{...}],"sentAt":"RFC3339"}   a batch with the client's clock
//
// The third form is an object with one member "events" that is an array, and no
// member "event". Its "sentAt" is kept when it is an RFC 3339 time and ignored
// otherwise; without it, the query's "t" (milliseconds since 1970) is, for a
// client whose repeats must have the same bytes. Other members are ignored. Any
// other JSON value is one record: a scalar body is one invalid event, answered
// 200 with its fault.
//
// # The id cookie
//
// Where a source's Browser.Cookie says so, a 200 sets the request's cookie
// sparrow_id again, with the value it came with: browsers keep what a server
// set for longer than what a script did. Nothing is read from it, and no other
// cookie is looked at.
//
// # Other clients' SDKs
//
// At the paths of Segment's API the elements are messages of that API, one or
// {"batch":[...]}; package segment says what is an event of them. Their records
// say so in Context.Format; nothing is translated here. A key that no header
// gives is looked for in the body, once that has been read; any Content-Type is
// taken; a preflight allows the headers it asks for; a body that is too slow is
// answered 503, for RudderStack's SDK gives events up at 408. The settings that
// the browser SDKs fetch first are served beside them.
//
// # Order of checks
//
// method, draining, key, origin, content type and encoding, announced length,
// memory, body, syntax, batch size, event sizes, rate, append. Syntax goes
// before sizes, so that what is not JSON is always kept (up to the body limit). A key in the
// body is checked after it was split.
package dispatcher
