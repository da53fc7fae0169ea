// Package bigquery keeps the warehouse in Google BigQuery: rows by the Storage
// Write API, everything else by the REST API.
//
// # Exactly once
//
// BigQuery has no transaction across tables, and a row that was appended is
// visible at once. What makes loading exactly-once all the same is that the
// rows of a table after a mark are a fixed sequence: the journal's order. So it
// is enough to know, for each table, how many rows of that sequence are stored
// already. Four tables are counted so: raw (the sequence after the events'
// mark) and deliveries, filtered_log, leaks_log (after the outcomes' mark).
//
//	raw        r1 r2 r3 r4 | r5 r6 r7        the table, in the journal's order
//	                 mark ─┘ └── ahead = 3   stored, but not part of a commit yet
//
// A session appends each counted table through a committed stream of its own,
// at explicit offsets. A batch is loaded in four steps; within a step all tables
// go at once, several requests each in flight:
//
//  1. names_log, raw
//  2. quarantine_log, deliveries, filtered_log, leaks_log, gaps_log
//  3. lanes_log
//  4. positions_log: one row, the commit: the new marks, and for each counted
//     table its stream, the rows that the stream held, and how many of these
//     are ahead of the new mark
//
// A load that fails, or a process that dies, leaves rows ahead of the mark. The
// next session reads the newest commit, finalizes the streams it names (from
// then on nobody can append to them, whoever still lives) and learns from each
// how many rows it holds. What is beyond the commit's count is ahead: so many
// rows of the sequence are left out when loading goes on. The session then makes
// new streams and commits them before it appends a row.
//
// positions_log is a log of its own kind: all sessions append to the same
// stream, each row at the offset that follows the last one they know. An append
// at an offset that is taken fails, so of two sessions one wins and the other
// reads again. Each row has a version, one more than the last. Which stream it
// is stands in the table's description; a stream that takes no rows any more is
// replaced by the one session whose change of the description, made with the
// table's etag, succeeds.
//
// A stream that is gone (BigQuery drops idle ones, and all of a table that was
// made anew) cannot be asked for its rows. Then the rows after the mark are
// counted in the table itself. So a stream that is lost is replaced, and nothing
// needs the default stream, with duplicates for views to remove, to fall back on.
//
// The rows of names_log, quarantine_log, gaps_log, lanes_log, plans_log and
// columns_log may be stored twice without harm: views show the newest, each once.
// They go through the tables' default streams.
//
// # Tables
//
// raw and deliveries are tables; filtered, leaks, gaps, lanes, parked, names, plans,
// columns, positions and quarantine are views of the logs, with the columns that
// package warehouse lists. A view shows of lanes and counts only what a commit
// covers, so that the reconciliation never sees half a batch; raw and deliveries
// may hold rows ahead of it. Tables are partitioned by day, clustered by source
// or tracker, and their partitions expire with the retention.
//
// # Roles
//
// roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser on the
// project; to make the dataset at first start roles/bigquery.user on the project
// instead of jobUser. Probe tries each permission and says what is missing.
package bigquery
