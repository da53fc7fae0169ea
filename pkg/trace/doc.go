// Package trace decides, for one record and one tracker, whether the event may
// leave, and reduces it to what may leave.
//
// The checks have a fixed order, and the first that fails gives the reason:
//
//	rejected  malformed                          the body was not JSON
//	rejected  invalid: <rule>                    the event broke the contract
//	filtered  prerender                          the page was loaded ahead and perhaps never seen
//	filtered  bot (<list and version>)           the user agent says so; see package bot
//	filtered  bot (rule of the source)
//	filtered  event not in plan
//	filtered  not routed to tracker
//	filtered  consent: <purpose>                 the visitor did not agree
//	filtered  required property missing: <name>
//	filtered  required property of wrong type: <name>
//	filtered  user and device are placeholders   such as "null": they would be one person
//
// What remains is reduced to the plan's properties and context, and sanitised. The
// package promises that the result has nothing that the plan does not name and
// nothing that the sanitizer would still find, and that it does not alias the
// record's bytes. It does no I/O, reads no clock, and changes neither record nor
// plan; the same record always gives the same result.
//
// The caller drops duplicates first.
package trace
