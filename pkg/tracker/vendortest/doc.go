// Package vendortest is what a strict fake of a vendor is built with: Faults to
// order (a status, a hang, a reset before or after the events were taken), a Log
// of the events the fake took, kept apart from anything of Sparrow's, Seen, by
// which it drops repeats, and Violations. All are bounded and safe for concurrent
// use. Repeated finds what Go's decoder passes over.
//
// A fake is an http.Handler. A Go test serves it with httptest; a test of the
// real binary serves it in its own process and names its address as baseURL.
package vendortest
