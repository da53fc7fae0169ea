// Package tracker is the contract between Sparrow and a vendor, and the kit
// that vendors are built with.
//
// Adding a vendor is one directory: a config struct with its own Check, a
// translation (Tracker), golden files, a ten-line test that runs trackertest;
// and one line in trackers/trackers.go. Kinds are values in a list; nothing
// registers itself.
//
// The kit is what every vendor needs and none should write twice:
//
//   - Secret, MaskURL and Redact keep credentials out of everything printed.
//   - CheckBaseURL says which endpoints a tracker may talk to.
//   - Flattener and Truncate fit properties into a vendor's limits, the same
//     way every time.
//   - Packer cuts encoded events into requests by count and by bytes.
//   - JudgeStatus is the default reading of an answer; a vendor overrides what
//     it documents differently.
//
// Everything in the kit is pure: no I/O, no clock, no package state.
package tracker
