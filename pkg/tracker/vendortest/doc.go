// Package vendortest is what a strict fake of a vendor is built with: Faults to
// order (a status, a hang, a reset before or after the events were taken), a Log
// of the events the fake took, kept apart from anything of Sparrow's, and Seen,
// by which it drops repeats. All are bounded and safe for concurrent use.
//
// A fake is an http.Handler. A Go test serves it with httptest; a test of the
// real binary serves it in its own process and names its address as baseURL.
package vendortest
