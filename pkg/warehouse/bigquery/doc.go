// Package bigquery keeps the warehouse in Google BigQuery. Rows are written
// through the Storage Write API; everything else goes through the REST API.
//
// # Exactly once
//
// BigQuery has no transaction across tables, and an appended row is visible at
// once. Loading is exactly-once all the same, because the rows of a table after a
// stream position are a fixed sequence: the journal's order. It is enough to know,
// for each table, how many rows of that sequence are stored already: these rows
// are ahead of the position. Four tables are counted so: raw (after the events'
// position) and deliveries, filtered_log, leaks_log (after the outcomes' position).
// Positions are always the journal's; the streams below are BigQuery's write
// streams, to which the rows of one table are appended.
//
//	raw    r1 r2 r3 r4 | r5 r6 r7        the table, in the journal's order
//	         position ─┘ └── ahead = 3   stored, but part of no commit yet
//
// A writer appends each counted table through a committed stream of its own, at
// explicit offsets. It loads a batch in four steps. Within a step all tables are
// written at once, with several requests each in flight:
//
//  1. names_log, raw
//  2. quarantine_log, deliveries, filtered_log, leaks_log, gaps_log
//  3. lanes_log
//  4. positions_log: one row, the commit. It has the new stream positions; what the
//     batch adds to the sums; and, for each counted table, its stream, the rows in
//     that stream, and how many rows are ahead of the new position
//
// A load that fails, or a process that dies, leaves rows ahead of the position.
// The next writer reads the newest commit and finalizes the streams it names: from
// then on nobody can append to them, even if the earlier process still runs. The
// answer says how many rows a stream holds. Those beyond the commit's count are
// ahead as well; loading leaves out so many rows of the sequence. Then the writer
// creates new streams and commits them before it appends a row.
//
// positions_log works differently. All writers append to the same stream, each
// commit at the offset after the last one they know. An append at an offset that
// is taken fails: of two writers one succeeds, and the other reads again. Each
// commit has a version, one more than the last. The table's description names the
// stream. A stream that takes no rows any more is replaced; the description is
// changed with the table's etag, so only one writer can do that.
//
// BigQuery drops idle streams, and all streams of a table that is dropped. Such a
// stream cannot be asked for its rows: then a query counts the table's rows after
// the position. So a lost stream is simply replaced. The default stream, which
// could store rows twice, is not needed as a fallback.
//
// The rows of names_log, quarantine_log, gaps_log, lanes_log, plans_log and
// columns_log may be stored twice without harm: views show the newest, each once.
// They go through the tables' default streams.
//
// # Sums
//
// A batch's sums are stored in the row that commits it, so that they are exact
// whenever the commits are: no retry adds them twice, and none is lost. They are
// changes; the view sums adds them up.
//
//	positions_log  version  sums                         sums_log  day  ...  n  version
//	               41       [[day,source,event,...,+5]]            D       120  40   the sums of D
//	               42       [[day,source,event,...,+7]]                              as of commit 40
//	                        the sum of D is 120 + 5 + 7
//
// Compact, called every hour, inserts the sums of each day that changed into
// sums_log, with the version of the newest commit, in one statement. The sums of
// a day are its rows with the newest version, and the changes of later commits:
// so it does not matter how often, or by how many processes, Compact is called. A
// commit is deleted two hours later at the earliest, when its changes are in
// sums_log. Rows of sums_log with the outcome "first" are no sums. They serve to
// find the day of a receipt: source is the journal, and n the sequence with which
// the day begins in it.
//
// Most batches only add. What else can happen to a day (a lane begins before rows
// that are stored, or ends; a replay; a gap in the journal; another journal) has it
// counted again before the commit: one query finds where the sums differ from the
// rows that the commit will cover, and the commit has these differences. The query
// reads the day's partitions only. VerifySums is the same query. If it fails, or
// takes longer than a call may, the commit says that the day is not counted, and
// Backfill counts it later. counted_days are the days whose sums are kept; the
// views show no other. Days that an earlier release loaded are counted on request
// (CountDay), but for the two newest.
//
// # Views
//
// reconciliation reads sums, and what waits: the rows of raw from the slowest lane
// on, within the 60 days that a journal can hold, without a delivery.
//
// # Tables
//
// raw and deliveries are tables; filtered, leaks, gaps, lanes, parked, names, plans,
// columns, positions, sums, counted_days and quarantine are views of the logs, with
// the columns that package warehouse lists. Of lanes and counts a view shows only what a commit
// covers, so the reconciliation never sees half a batch; raw and deliveries may
// have rows ahead of it. Tables are partitioned by day, clustered by source or
// tracker, and their partitions expire with the retention.
//
// # Roles
//
// roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser on the
// project; to create the dataset at first start roles/bigquery.user on the project
// instead of jobUser. Probe tries each permission and says what is missing.
package bigquery
