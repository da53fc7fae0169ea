// Package segment reads the messages of Segment's HTTP API, which RudderStack's SDKs
// send too: it tells the intake what it must know about a message, and translates
// the message into an event. It does no I/O and has no state.
//
// It promises that a record keeps the SDK's bytes: the translation is beside them
// (event.Record.Translated), and every reader of the record makes it again.
// What Inspect accepts has a translation that keeps the contract of event.Inspect.
//
// # What becomes of a message
//
//	track      the event of that name
//	page       pageview; properties.pathname is properties.path, or context.page.path
//	screen     screen
//	identify   identify; its properties are the traits, and so are userProperties
//	group      group; its properties are the traits and groupId
//	alias      alias; properties.previousId
//
//	anonymousId                        deviceId; without one, the userId
//	userId                             userId; "" counts as absent, a number as its digits
//	messageId                          eventId, by which a repeated message is found
//	timestamp, or originalTimestamp    timestamp, with sentAt beside it: see event.EventTime
//	properties                         properties; a page's or screen's name and category are added
//	traits (of identify) or context.traits    userProperties
//	context.campaign                   utm parameters of page.url, where it has none
//	integrations.*.session_id          sessionId, without context.sessionId
//	context.page .screen .locale .sessionId .userAgent .ip    the same
//	context.consent.categoryPreferences       consent
//	context.consentManagement.allowedConsentIds, .deniedConsentIds    consent, true and false
//
// A message's other integrations are kept but have no effect: the tracking plan
// decides where an event goes.
package segment
