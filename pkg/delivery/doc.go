// Package delivery is the lane: it brings the journal's events to one vendor
// and says what became of each.
//
// A lane reads records, skips duplicates, has the plan and the sanitizer decide
// what may leave (Tracer), has the tracker translate it, performs the requests
// and records the outcomes. Each tracker has a lane of its own, with its own
// cursor, connections, rate limit and breaker: a slow vendor delays no other.
//
// # Windows and reports
//
// A lane works window by window. A window is a stretch of the journal, at most
// 1,000 events to be sent, and the parked events that are due. Nothing of it
// counts until it is committed: its outcomes, counts and new watermark then go
// into the next report. One durable publish carries the report, and in it the
// lane's complete state, so the last report is all that a lane needs after a
// crash. Reports are published before the next window is sent, at once when the
// journal has nothing more at hand, and once a second when only counts and the
// watermark changed.
//
//	watermark          reader
//	    │   window         │
//	────┼──────────────────┼───────────── journal
//	    └─ every event before it has an outcome in a report, or is parked
//
// # Promises
//
//   - Every event from Report.Start up to Report.Watermark has exactly one final
//     outcome in a report, is counted as held, is parked, or lies in a Gap.
//   - After SIGKILL nothing is lost. To a vendor with a dedup key
//     (tracker.Traits.Dedup) the events since the last report are sent again
//     under the same ids. To one without, nothing is ever sent twice: a report
//     with intents is published before the requests, and intents that no later
//     report took back become uncertain ("stopped while sending"): about as many
//     events as the vendor takes in a second.
//   - A request before another (tracker.Request.Before) takes no event: whatever
//     becomes of it makes nothing uncertain. What it refuses is rejected, never
//     sent, and told as an incident of the class "validation".
//   - No more events of one identity leave in a minute than the vendor takes
//     (tracker.Traits.IdentityRate); the others are parked until they may.
//   - An outage parks nothing: the breaker opens and the cursor waits. Only when
//     it cuts a window short of which some events were settled already are the
//     others parked, at most one window, without a budget and due as soon as the
//     breaker closes: the watermark stands before or after a window, not within.
//   - An event on which the vendor fails (5xx) each time, while it takes others,
//     does not hold up the lane: after Config.IsolateAfter failures in a row events
//     are sent one at a time, and it is parked with a budget, sent alone from then
//     on, and at last rejected. A vendor that fails on everything is down.
//   - What gets older than the journal keeps it is expired as the watermark
//     moves, also while the breaker is open, so that the journal can be trimmed
//     below Status.Needs. What vanished before the lane read it is a Gap and an
//     incident.
//   - Everything is bounded: a window by events, records and bytes, a report by
//     the size of a message of the outcomes stream, parked events by
//     Config.MaxParked (at the bound the lane stops reading), an answer by
//     tracker.MaxResponse, requests under way by concurrency.
//   - No URL, key or personal data is in an error, log line, incident or row,
//     as far as Deps.Sanitize and tracker.Traits.Secrets know them.
//
// # Trimming
//
// The journal must keep events from Status.Needs on, and the outcomes stream
// each lane's last report (Status.Report). A lane whose vendor is away publishes
// its state every 30 seconds, so that it never holds the outcomes of the others.
package delivery
