// Package vendortest is the kit for strict fakes of vendors:
//
//   - Faults on demand: a status, a hang, a reset before or after the events were
//     taken.
//   - Log, the events that the fake took, independent of anything in Sparrow.
//   - Seen, by which the fake drops repeats.
//   - Violations, the vendor's rules that requests broke.
//   - Body, Decode, Repeated, Length and ReplyJSON, to read requests strictly and
//     answer them.
//
// All are bounded and safe for concurrent use. A fake is an http.Handler: a Go test
// serves it with httptest; a test of the real binary serves it in its own process and
// configures its address as baseURL.
package vendortest
