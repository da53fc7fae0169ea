// Package delivery is the lane: it delivers the journal's events to one tracker
// and records what became of each.
//
// A lane reads records, skips duplicates, lets the plan and the sanitizer decide
// what may leave (Tracer), lets the tracker translate it, sends the requests and
// records the outcomes. Each tracker has its own lane with its own cursor,
// connections, rate limit and breaker: a slow vendor does not delay the others.
//
// # Parts
//
//	journal → feed → Tracer → window → sender → commit → outbox → outcome log
//	                            ↑                 │         ↑
//	                            │ due             ↓         │ entries
//	                            └────────────── parking ────┘
//
// The lane fills a window from the feed and from what is parked and due, has the
// sender send it, and commits it: outcomes go to the outbox, events that must wait
// to parking. Each part owns its state:
//
//   - feed reads records from the journal.
//   - window is a value: what is decided together. It can be dropped and read again.
//   - sender sends a window's events within the vendor's limits. It owns the
//     client, the rate limit, the breaker and the isolation of failing events.
//   - parking keeps the events that wait for their own next attempt.
//   - outbox publishes decisions. It owns the draft (the next checkpoint, as it
//     fills), the cursor, and the sequence of the last checkpoint, by which a
//     second process is fenced off.
//
// # Windows and checkpoints
//
// A lane works window by window. A window is a stretch of the journal, at most
// 1,000 events to be sent, and the parked events that are due. Nothing of it
// counts until it is committed: its outcomes, counts and the new cursor then go
// into the next checkpoint, whose watermark is that cursor. A checkpoint holds
// everything that the lane needs to go on and is published in one durable message,
// so after a crash the lane needs only the last one. Three things are not in it
// and start anew: the breaker, the rate counts, and the attempts of events that
// are not parked.
//
// A checkpoint with outcomes or parked events is published before the next window
// is sent, and at once when the journal has nothing more to read. One with which only
// counts and the watermark change is published at most once a second.
//
//	watermark          reader
//	    │   window         │
//	────┼──────────────────┼───────────── journal
//	    └─ every event before it is a duplicate, has an outcome or is counted
//	       in a checkpoint, is parked, or lies in a Gap
//
// # Promises
//
//   - Every event that is no duplicate, from event.Checkpoint.Start up to
//     Watermark has exactly one final outcome in a checkpoint, is counted as
//     filtered, is parked, or lies in a Gap.
//   - After SIGKILL nothing is lost. To a vendor with a dedup key
//     (tracker.Traits.Dedup) the events since the last checkpoint are sent again
//     under the same ids. To a vendor without one, nothing is ever sent twice: a
//     checkpoint with intents is published before the requests. If the process
//     dies before a later checkpoint gives their outcomes, these events become
//     uncertain ("stopped while sending"): about as many as the vendor accepts in a
//     second.
//   - A request before another (tracker.Request.Before) delivers no event, so its
//     failure makes no event uncertain. An event that it refuses is rejected, never
//     sent, and reported as an incident of the class "validation".
//   - No more events of one identity are sent in a minute than the vendor accepts
//     (tracker.Traits.IdentityRate). The others are parked until they may be sent.
//   - An outage parks nothing: the breaker opens and the cursor waits. There is one
//     exception, because the watermark can stand before or after a window, not
//     within it. If the outage begins within a window, and the vendor has decided
//     some of its events already, the window's other events are parked: at most
//     one window. The time limit for their retries does not start, and they are
//     due as soon as the breaker closes.
//   - An event on which the vendor fails (5xx) each time, while it accepts others,
//     does not block the lane. After Config.IsolateAfter failures in a row events
//     are sent one at a time. The failing event is parked, sent alone from then on, also
//     after a restart, and rejected when the time limit
//     for its retries (Config.RetryFor) is over. A vendor that fails on everything
//     counts as down.
//   - An event that gets older than the journal's maximum age expires as the
//     watermark moves, also while the breaker is open, so that the journal can be
//     trimmed below Status.EarliestNeeded. What vanished before the lane read it is
//     a Gap and an incident.
//   - Everything is bounded: a window by events, records, bytes and names; a checkpoint by
//     the size of a message of the outcomes stream; parked events by
//     Config.MaxParked (at the bound the lane stops reading); a response by
//     tracker.MaxResponse; requests in flight by concurrency.
//   - No URL, key or personal data is in an error, log line, incident or row, as
//     far as Deps.Sanitize and tracker.Traits.Secrets know them.
//
// # Trimming
//
// The journal must keep events from Status.EarliestNeeded on, and the outcomes
// stream each lane's last checkpoint (Status.Checkpoint). A lane whose vendor is
// down publishes its state every 30 seconds, so that the outcomes of the other
// lanes can be trimmed.
package delivery
