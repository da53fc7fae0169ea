// Package duckdb is the embedded warehouse: a DuckDB file that one process
// holds alone.
//
// It promises what package warehouse asks of an adapter, and:
//
//   - The rows of a batch, its sums, its typed events and its positions are one
//     transaction on one connection, durable when Load returns. SIGKILL at any
//     moment leaves whole batches.
//   - The sums agree with the rows. Most batches add to them; a day to which
//     something else happens (a lane begins or ends in it, a replay, a gap in the
//     journal, another journal) is counted again from its rows, by the SQL that
//     VerifySums uses.
//   - raw_normalized gives the same rows before, while and after a changed plan's
//     columns are made anew.
//   - No value stops loading: a row whose typed columns cannot be made has NULLs
//     there and is named, whatever error DuckDB raises.
//   - Close is bounded, whatever a query or the disk does.
//   - Memory, threads and spilled bytes are capped (Config). A query that needs
//     more than its share is interrupted; loading goes on.
//   - A user's query can read tables and views, and nothing else: it is parsed
//     by DuckDB itself and must be a single SELECT, whose table functions are
//     on a list of harmless ones; it runs in a read-only transaction of an
//     instance whose access to files, network and extensions is off and whose
//     configuration is locked.
//
// DuckDB needs cgo. In a build without it, Open returns ErrSlim.
package duckdb
