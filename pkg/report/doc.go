// Package report reports incidents: every fault.Incident becomes an event at
// Sentry or, without a DSN, a structured line in the log.
//
// It promises:
//
//   - Groups. Incidents are grouped by component, tracker and class. Of each group,
//     the first ten in a minute are reported in full, with request, response and the
//     stack of the caller. The others of that minute become one summary, with their
//     count and the first and last receipt. No incident is lost from the counts: if
//     the queue is full, the incident is in its group's summary.
//   - Report never waits: not for Sentry, not for the log, not for a full queue.
//     While Sentry is down, slow or refusing, incidents go to the log instead.
//   - Bounds. Groups, queue, label values, bodies, headers and receipts all have a
//     limit. Groups beyond theirs share one that is named "(other)".
//   - Privacy. Only headers of an allow list are reported, and URLs without query and
//     credentials. Secrets of the configuration are replaced by "[secret]" in every
//     field. No host name, environment variable or build path is reported.
//   - Sentry is reached over HTTPS (plain HTTP only to loopback). Redirects are not
//     followed.
//
// Whoever makes an incident must already have removed what is private. What this
// package does is the last line of defence.
//
// sentry-go provides the event model, the envelope encoding, the DSN and the
// server's rate limits. Its Client is not used: it would add the host name, the list
// of modules and environment variables to each event, and start goroutines.
package report
