// Package heap sends events to Heap by its server-side track API, in bulk.
//
// Heap drops repeats by idempotency_key, so every request may be sent again.
// Its answers are not documented beyond their status. The rules, from Heap's
// reference (developers.heap.io/reference: track-1, bulk-track) and its Node SDK
// (npm heap-api 1.0.1):
//
//	request      at most 1,000 events; 15,000 events a minute for the whole
//	             environment, 1,000 for one identity
//	identity     exactly one of identity (at most 255 characters; an unknown one
//	             makes a new, identified user) and user_id (a whole number below
//	             2^53 that Heap's browser SDK gave out)
//	event        at most 1,024 characters
//	properties   flat; strings and numbers; keys and values below 1,024 characters
//	time         ISO 8601; no documented bound
//	users        properties as above, sent before the events that carry them; never
//	             id (in any case), user_id or identity; e-mail addresses under email
//	identify     binds a user to the number that Heap's browser SDK gave the visitor;
//	             ten numbers a user and month, more are dropped silently
//
// An event without a user has no identity, and its device id is not a number of
// Heap's. By default such an event is left out (`anonymous: skip`). With
// `anonymous: hash` it is sent under a user_id derived from the device id by
// SHA-256, cut to 53 bits: Heap takes it, but it will never merge with the
// anonymous user that Heap's own browser SDK knows, and could meet an id that Heap
// gave out to somebody else.
//
// A page that has Heap's browser SDK can pass heap.userId on as a property, which
// `heapUserId` names. Anonymous events are then sent under that number, and the event
// that `identify` names binds it to the user. Only one call can precede an event, so
// the user properties of that event are not sent; those of the next event are.
//
// If Heap refuses a user's properties (a 4xx to that call only), the user's events
// are sent all the same. One identity's events beyond 1,000 a minute wait for the
// next minute.
//
// Objects are flattened with dots, arrays joined with ||, booleans become text,
// nulls and empty values are left out. Page, locale and screen become plain
// properties (url, path, referrer, title, locale, screen) unless the event has
// properties so named. Address and user agent are never sent: Heap has no field
// for them.
package heap
