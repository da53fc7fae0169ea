// Package console holds the pages that the gateway serves itself: the demo
// page of `sparrow dev`, the reference of the HTTP API, the browser SDK, and the
// settings that it asks for.
//
// It promises that the pages fetch only from their own origin: the SDK, the
// intake, the OpenAPI document, the files of Swagger UI and, for the demo page,
// the trails of its events. They work offline, and each carries a content security
// policy that allows only the style and scripts that this package ships.
// Handlers answer GET and HEAD only, keep no state and never panic; whatever
// they are given is escaped.
package console
