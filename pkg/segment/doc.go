// Package segment speaks the messages of Segment's HTTP API, which RudderStack's
// SDKs send, too: it says what intake must know of a message, and translates it
// into an event of Sparrow's. It does no I/O and keeps nothing.
//
// It promises that a record keeps the SDK's bytes: the translation stands beside
// them (event.Record.Translated), and is made again by whoever reads the record.
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
//	context.page .screen .locale .sessionId .userAgent .ip    the same
//	context.consent.categoryPreferences       consent
//	context.consentManagement.allowedConsentIds, .deniedConsentIds    consent, true and false
//
// What a message says of integrations is kept and not followed: where an event
// goes is the tracking plan's to say.
package segment
