// Package console holds the pages that the gateway serves itself: the demo
// page of `sparrow dev`, the reference of the HTTP API, and the browser SDK.
//
// It promises that every page is one answer with nothing to fetch but the SDK
// and the intake of the same origin, works offline, and carries a content
// security policy that allows exactly the style and script it ships, by hash.
// Handlers answer GET and HEAD only, keep no state and never panic; whatever
// they are given is escaped.
package console
