// Package amplitude sends events to Amplitude by its HTTP V2 or Batch API.
//
// Amplitude drops repeats by insert_id, together with device_id, within seven
// days, so every request may be sent again; both ids are the same in every attempt.
// Amplitude refuses a whole request for one bad event, so an event that it would
// refuse is rejected here. The rules, from Amplitude's documentation
// (amplitude/amplitude-docs: http-v2, batch-event-upload) and the validation of
// its SDKs (analytics-go, Amplitude-TypeScript):
//
//	request      HTTP V2: fewer than 2,000 events, below 1 MB; Batch: 2,000, 20 MB
//	ids          a user or a device; words such as anonymous, null, unknown, 0 and
//	             -1 are refused and left out here; shorter than 5 characters only
//	             with options.min_id_length, which is sent
//	event_type   at most 1,024 characters; the [Amplitude] names of sessions, revenue
//	             and merged users are reserved; $identify and $groupidentify are no
//	             events but operations
//	time         milliseconds, a whole number
//	session_id   milliseconds of the session's start, a number, or -1
//	properties   strings at most 1,024 characters, objects at most 40 deep, at most
//	             1,000 keys
//	plan         Starter: 10 events a request and 1,000 a second are advised
//	rate         30 events a second for one user or device (HTTP V2), 1,000 (Batch);
//	             a daily quota of 500,000 (Batch)
//
// A pageview becomes "[Amplitude] Page Viewed" with the property names of
// Amplitude's own browser plugin, so that its built-in web reports work. A
// page's utm parameters become properties of those names. User properties are set
// with each event that carries them. The event that `identify` names becomes
// Amplitude's $identify: it $sets the user properties, campaign and referrer,
// $setOnce those of the first visit (initial_utm_source, initial_referrer), and has
// no properties of its own. Other operations need the state of a client; user
// properties whose names begin with $ would be such and are left out. Amplitude
// takes 1,800 updates of one user's properties an hour and drops more silently.
//
// A numeric property `revenue` makes a revenue event, with productId, revenueType
// and currency; price and quantity stay ordinary properties, because Amplitude
// would let their product replace the revenue.
//
// The visitor's address is sent only with forwardIP. The user agent is sent to
// HTTP V2 only: the Batch page does not list it.
package amplitude
