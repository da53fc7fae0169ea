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
//
// An event without a user has no identity, and its device id is not a number of
// Heap's. By default such an event is left out (`anonymous: skip`). With
// `anonymous: hash` it is sent under a user_id derived from the device id by
// SHA-256, cut to 53 bits: Heap takes it, but it will never merge with the
// anonymous user that Heap's own browser SDK knows, and could meet an id that Heap
// gave out to somebody else.
//
// Objects are flattened with dots, arrays joined with ||, booleans become text,
// nulls and empty values are left out. Page, locale and screen become plain
// properties (url, path, referrer, title, locale, screen) unless the event has
// properties so named. Address and user agent are never sent: Heap has no field
// for them.
package heap
