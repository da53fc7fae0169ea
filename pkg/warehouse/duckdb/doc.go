// Package duckdb is the embedded warehouse: a DuckDB file that one process
// holds alone.
//
// It promises what package warehouse asks of an adapter, and:
//
//   - The rows of a batch and its marks are one transaction on one connection,
//     durable when Load returns. SIGKILL at any moment leaves whole batches.
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
