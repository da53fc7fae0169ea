// Package ga4 sends events to Google Analytics 4 by its Measurement Protocol.
//
// GA4 answers 204 to everything, even to invalid requests, and does not drop
// repeats. So its rules are applied here, before anything is sent, and the events of
// a request without a response are uncertain. The rules, from Google's
// reference, sending-events and validating-events pages of the protocol
// (developers.google.com/analytics/devguides/collection/protocol/ga4) and from
// the validator of its Event Builder (googleanalytics/ga-dev-tools):
//
//	request      what stands beside the events holds for all of them, so a request
//	             is of one client, user, address, user agent, consent and set of
//	             user properties; at most 25 events and less than 130 kB
//	names        begin with a letter; letters, digits and _; at most 40 characters.
//	             White space becomes _, other characters are left out
//	reserved     event names such as session_start, and the prefixes _ firebase_
//	             ga_ google_ gtag. are rejected; a parameter so named is left out
//	parameters   at most 25, strings or numbers: objects are flattened with _,
//	             arrays joined with a comma, booleans become text; at most 100
//	             characters (page_title 300, page_referrer 420, page_location 1000);
//	             a number of over 100 digits or beyond a double is left out
//	commerce     `items` of the e-commerce events stay an array, each with item_id
//	             or item_name and numeric price and quantity; a purchase needs
//	             value, currency, transaction_id and items
//	money        `value`, a number, and `currency` go together in every event: one
//	             without the other is left out
//	users        user_id at most 256 characters; user properties at most 25, names
//	             24 and values 36 characters
//	time         in microseconds, at each event; no older than 72 hours. Of the future
//	             Google says nothing: event.EventTime allows five minutes
//	place        user_location from the properties that `location` names, or
//	             ip_override with forwardIP; by default neither
//
// What the vendor would cut is cut here, so that the result is defined. An event that
// it would drop is rejected, with the rule. Parameters beyond the 25th
// are left out by name, those of page and session never.
//
// Google could change its rules. With `validate`, a share of the events is sent to its
// validation endpoint first, one at a time. If it finds a fault, the event is rejected
// with the rule, and an incident is reported. The reason of a delivered event is
// "validated" or "unvalidated". The endpoint stores nothing. If it does not answer,
// the event is sent unvalidated.
//
// Only web streams are supported: an app's events come from its own SDK.
//
// The address of the visitor is not sent unless forwardIP says so. `device`
// takes precedence over `user_agent` in a way that Google does not describe, so
// only one of them is sent: the user agent when there is one, else the language
// and the screen.
package ga4
