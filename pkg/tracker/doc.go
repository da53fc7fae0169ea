// Package tracker is the contract between Sparrow and a vendor, and the kit to
// build vendors with.
//
// A new vendor is one directory: a config struct with its own checks, a translation
// (Tracker), golden files and a ten-line test that runs trackertest; and one line in
// trackers/trackers.go. Kinds are values in a list; nothing registers itself.
//
// The kit is what every vendor needs:
//
//   - Secret, CheckSecret, MaskURL and Redact keep credentials out of everything
//     that is printed.
//   - CheckBaseURL and Host check the address that a tracker sends to.
//   - Flattener, SortUnique and Truncate fit properties into a vendor's limits, the
//     same way every time.
//   - Packer cuts encoded events into requests by count and by bytes; PostJSON makes
//     a request of a body.
//   - JudgeStatus is the default interpretation of a response. A vendor overrides
//     what it documents differently.
//
// Everything in the kit is pure: no I/O, no clock, no package state.
package tracker
