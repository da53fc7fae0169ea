// Package warehouse keeps every raw payload, every outcome and every count in
// a warehouse, exactly once, and derives the views that people query.
//
// It holds the contract of an adapter (Warehouse), the Loader that loads the
// journal's two streams into one, and the views, generated for an SQL dialect.
// The adapters are its sub-packages; warehousetest is the suite they all pass.
//
// # What it promises
//
//   - Exactly once: a Batch carries the positions it leads to, and an adapter
//     stores both in one transaction. Whatever dies, and however often a batch
//     is loaded again, each record is one row.
//   - raw.data is what the client sent, byte for byte; base64, marked in
//     context.encoding, when it is not UTF-8.
//   - Counts never run ahead of raw: a lane's checkpoint is loaded only together
//     with, or after, every event it speaks of.
//   - One row that can never be stored does not stop the others: the quarantine
//     table lists it, and raw keeps its row without the data, so that the sums
//     still agree.
//   - Memory is bounded by Config.MaxBytes and what one message of the journal
//     holds; the names of events that are counted apart are bounded by MaxNames
//     a source and day.
//
// # Tables
//
// Columns are listed in their order; those after the bar are helpers that make
// the views fast. Times are UTC.
//
//	raw         eventId timestamp data receipt source context duplicate | day epoch seq idx event usable translated
//	deliveries  receipt eventId tracker outcome reason status error attempts timestamp latencyMs run plan release | day epoch seq idx source event
//	filtered    day source event tracker reason plan count | run
//	leaks       day source event property kind tracker count | run
//	lanes       tracker epoch run startSeq startIdx markSeq markIdx closed plan release reported
//	parked      tracker epoch run seq idx receipt due since attempts
//	gaps        tracker epoch run fromSeq fromIdx toSeq toIdx
//	names       day source event
//	plans       version text seen
//	columns     ordinal name property type description
//	positions   stream epoch seq idx loaded
//	quarantine  receipt eventId timestamp source reason bytes quarantined
//
// An adapter also has tables that it makes of these, with the transaction that
// stores the rows:
//
//	sums          day source event tracker outcome reason n
//	counted_days  day
//
// And DuckDB alone has, for now:
//
//	events        day epoch seq idx event deviceId userId timestamp receivedAt eventId receipt source
//	              pageUrl pagePath pageReferrer pageTitle sessionId properties.*
//	unfilled      epoch seq
//
// sums has the accepted events and duplicates of each tracker, and each outcome
// with its reason, for the days in counted_days. The reconciliation reads it, adds
// what lanes only counted (filtered), and measures what is pending. events has a
// typed row for each usable event that is no duplicate; raw_normalized reads it.
// Rows of an epoch before the sequence in unfilled are read from raw until
// Backfill has made their typed columns.
//
// lanes has a row for each life of a tracker's lane. A tracker that was removed and
// put back has several rows, told apart by where they start, and its sums go on.
//
// raw.event is the event's name as it is counted: MaxNames names a source and
// day, the later ones "(other)"; "(malformed)" for a body that is not JSON,
// "(invalid)" for an event without a usable name. filtered, leaks and the
// reconciliation use the same name. raw.usable says that the event keeps the
// contract and its data is there. raw.translated is the event in Sparrow's own
// form where the data has the format that context.format names, and NULL where
// the data is that already.
//
// # Views
//
// raw_normalized has a row for each usable event that is no duplicate, with a
// column for each property of the plan. reconciliation has, for each day,
// source, event and tracker, how many events were accepted and what became of
// them; see ReconciliationView for what each column counts.
package warehouse
