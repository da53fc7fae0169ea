// Package auth gets access tokens for Google's APIs: for a service account, by
// exchanging a signed JWT at its token endpoint (RFC 7523), or by Application
// Default Credentials.
//
// It promises:
//
//   - A token is fetched once and shared. Callers that need one while it is being
//     fetched wait for the same request.
//   - A token is renewed five minutes before it expires. Until then, and while the
//     endpoint fails, the old one is used.
//   - If the token endpoint fails, the pauses between requests grow. During a pause
//     callers get the error at once, or the old token as long as it is valid.
//   - No error, log line or printed value contains a key or a token.
//   - The token endpoint is reached by HTTPS. Plain HTTP is allowed to loopback only.
package auth
