// Package auth gets access tokens for Google's APIs: of a service account, by a
// signed JWT that its token endpoint exchanges (RFC 7523), or by Application
// Default Credentials.
//
// What it promises:
//
//   - A token is fetched once and shared; callers that come while it is fetched
//     wait for the same one.
//   - It is renewed before it expires, while the old one still serves.
//   - A token endpoint that fails is asked again with growing pauses; in between
//     callers get the error at once, or the old token as long as it is good.
//   - No error, log line or value that is printed holds a key or a token.
//   - The token endpoint is reached by HTTPS; plain HTTP goes to loopback only.
package auth
