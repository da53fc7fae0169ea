// Package report tells people what went wrong: every fault.Incident becomes an
// event at Sentry, or, without a DSN, a structured line in the log.
//
// It promises:
//
//   - Grouping. Incidents are grouped by component, tracker and class. Of each
//     group the first ten in a minute are reported in full, with the exchange
//     and the stack of whoever observed it; the rest of the minute becomes one
//     summary with the count and the first and last receipt. Every incident is
//     counted: one that found the queue full is in its group's summary.
//   - Report never waits: not for Sentry, not for the log, not for a full queue.
//     A Sentry that is dead, slow or refusing costs nothing but the detail; what
//     it does not take goes to the log instead.
//   - Bounds. Groups, queued records, label values, bodies, headers and receipts
//     all have a limit; groups beyond theirs share one named "(other)".
//   - Nothing leaves that need not: headers by an allow list, URLs without query
//     and credentials, secrets known to the configuration replaced by "[secret]"
//     in every field, no host name, environment variable or build path.
//   - Sentry is spoken to over HTTPS (plain HTTP only to loopback), without
//     following redirects.
//
// Incidents are expected to be sanitised by whoever makes them; what is done
// here is the last line of defence, not the first.
//
// sentry-go contributes the event model, the envelope encoding, the DSN and the
// server's rate limits. Its Client is left out on purpose: it would add the host
// name, the list of modules and the process's environment to each event, and
// start goroutines of its own.
package report
