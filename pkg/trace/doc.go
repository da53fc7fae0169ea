// Package trace decides, for one record and one tracker, whether the event may
// leave, and makes what may leave of it.
//
// The order is fixed, and the first that holds something back gives the reason:
//
//	rejected  malformed                          the body was not JSON
//	rejected  invalid: <rule>                    the event broke the contract
//	filtered  prerender                          the page was loaded ahead and perhaps never seen
//	filtered  bot                                the user agent says so
//	filtered  event not in plan
//	filtered  not routed to tracker
//	filtered  consent: <purpose>                 the visitor did not agree
//	filtered  required property missing: <name>
//	filtered  required property of wrong type: <name>
//
// What remains is cut to the plan's properties and context, and sanitised. It
// promises that nothing is in the result that the plan does not name, that the
// sanitizer has nothing left to find in it, and that it aliases none of the
// record's bytes. It does no I/O, reads no clock, and changes neither record nor
// plan; the same record always gives the same result.
//
// Duplicates are the caller's to drop, before.
package trace
