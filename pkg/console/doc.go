// Package console holds the pages that the gateway serves itself: the demo
// page of `sparrow dev`, the reference of the HTTP API, the browser SDK, and the
// settings that it asks for.
//
// It promises that every page is one answer with nothing to fetch but the SDK,
// the intake and, for the demo page, the trails of its events, all of the same
// origin; that it works offline and carries a content security policy that
// allows exactly the style and script it ships, by hash.
// Handlers answer GET and HEAD only, keep no state and never panic; whatever
// they are given is escaped.
package console
